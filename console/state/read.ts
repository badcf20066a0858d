// Something that is read when a part is drawn, and again each while as long as it is looked at.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { notifyFailure } from '../parts/notices.tsx';

/** @param on read anew when one of these is another. @param every ms; absent: once */
export function useRead<T>(
  read: () => Promise<T>,
  on: readonly unknown[],
  every?: number,
): { found: T | undefined; again: () => Promise<void> } {
  const [found, setFound] = useState<T | undefined>(undefined);
  /** The last one that was asked for; what an earlier one finds is not shown any more. */
  const asked = useRef(0);
  const again = useCallback(async () => {
    const one = (asked.current += 1);
    try {
      const answer = await read();
      if (one === asked.current) setFound(answer);
    } catch (error) {
      if (one === asked.current) notifyFailure(error);
    }
  }, on);
  useEffect(() => {
    void again();
    const timer = every === undefined ? undefined : setInterval(() => document.hidden || void again(), every);
    return () => {
      clearInterval(timer);
      asked.current += 1;
    };
  }, [again]);
  return { found, again };
}
