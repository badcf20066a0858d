// A page that is loaded when it is first looked at, so that the first paint waits for none of them.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Failed } from '../parts/failed.tsx';

export function lazily(load: () => Promise<{ default: ComponentType }>): ComponentType {
  return function Lazy() {
    const [Page, setPage] = useState<ComponentType | undefined>(undefined);
    const [failure, setFailure] = useState<unknown>(undefined);
    useEffect(
      () =>
        void load()
          .then(({ default: page }) => setPage(() => page))
          .catch(setFailure),
      [],
    );
    // A page of another version has other parts, and browsers keep that one could not be had.
    if (failure !== undefined) return <Failed error={failure} again={() => location.reload()} />;
    return Page ? <Page /> : <div class="skeleton page-skeleton" />;
  };
}
