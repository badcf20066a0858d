// A page that is loaded when it is first looked at, so that the first paint waits for none of them.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { notifyFailure } from '../parts/notices.tsx';

export function lazily(load: () => Promise<{ default: ComponentType }>): ComponentType {
  return function Lazy() {
    const [Page, setPage] = useState<ComponentType | undefined>(undefined);
    useEffect(
      () =>
        void load()
          .then(({ default: page }) => setPage(() => page))
          .catch(notifyFailure),
      [],
    );
    return Page ? <Page /> : <div class="skeleton page-skeleton" />;
  };
}
