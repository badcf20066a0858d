// Something that is read when a part is drawn, and again each while as long as it is looked at. One question at a time: the latest.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { isGivenUp } from '../api/pause.ts';
import { notifyFailure } from '../parts/notices.tsx';

export interface Read<T> {
  /** Until there is another answer, the one before stays. */
  found: T | undefined;
  /** Why nothing was found. */
  failure: unknown;
  /** Asks anew: an answer that is on its way may be from before. */
  again: () => Promise<void>;
  /** Asks for more beside what was found, unless an answer is on its way. */
  goOn: <M>(
    more: (found: T, signal: AbortSignal) => Promise<M>,
    join: (found: T, more: M) => T,
  ) => Promise<void>;
  /** To what is known without asking. */
  change: (to: (found: T) => T) => void;
}

/** @param on read anew when one of these is another. @param every ms; absent: once */
export function useRead<T>(
  read: (signal: AbortSignal) => Promise<T>,
  on: readonly unknown[],
  every?: number,
): Read<T> {
  const [found, setFound] = useState<T | undefined>(undefined);
  const [failure, setFailure] = useState<unknown>(undefined);
  const underway = useRef<AbortController | undefined>(undefined);
  /** Whether what is shown is of this question. */
  const isAnswered = useRef(false);
  const ask = async <A>(
    question: (signal: AbortSignal) => Promise<A>,
    taken: (answer: A, before?: T) => T,
  ) => {
    underway.current?.abort();
    const mine = new AbortController();
    underway.current = mine;
    setFailure(undefined);
    try {
      const answer = await question(mine.signal);
      if (mine.signal.aborted) return;
      isAnswered.current = true;
      setFound((before) => taken(answer, before));
    } catch (error) {
      if (mine.signal.aborted || isGivenUp(error)) return;
      if (isAnswered.current) notifyFailure(error);
      else {
        setFound(undefined);
        setFailure(error);
      }
    } finally {
      if (underway.current === mine) underway.current = undefined;
    }
  };
  const again = useCallback(() => ask(read, (answer) => answer), on);
  const goOn: Read<T>['goOn'] = async (more, join) => {
    if (found === undefined || underway.current) return;
    await ask(
      (signal) => more(found, signal),
      (answer, before = found) => join(before, answer),
    );
  };
  const change: Read<T>['change'] = (to) =>
    setFound((before) => (before === undefined ? before : to(before)));
  useEffect(() => {
    isAnswered.current = false;
    void again();
    // On a slow API the one before is waited for.
    const look = () => void (document.hidden || underway.current || again());
    const timer = every === undefined ? undefined : setInterval(look, every);
    return () => {
      clearInterval(timer);
      underway.current?.abort();
    };
  }, [again]);
  return { found, failure, again, goOn, change };
}
