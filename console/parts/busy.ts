// Something that is done once at a time: a second click while it is on its way is the same wish.

import { useRef, useState } from 'preact/hooks';

/** @returns whether it is on its way, and what begins it */
export function useBusy(): [isBusy: boolean, begin: (work: () => Promise<void>) => Promise<void>] {
  const [isBusy, setBusy] = useState(false);
  const isUnderway = useRef(false);
  const begin = async (work: () => Promise<void>) => {
    if (isUnderway.current) return;
    isUnderway.current = true;
    setBusy(true);
    try {
      await work();
    } finally {
      isUnderway.current = false;
      setBusy(false);
    }
  };
  return [isBusy, begin];
}
