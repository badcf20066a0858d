// Work that comes round: never two at once, errors are logged and the next round comes all the same.

import { setTimeout as sleep } from 'node:timers/promises';
import type { RoundName } from '../log-events.ts';
import type { Log } from '../log.ts';

export interface Ticker {
  /** Resolves when the round under way is over; no other follows. */
  stop(): Promise<void>;
}

/**
 * @param name in the log: a bundle's functions have lost theirs
 * @param period ms from the end of a round to the start of the next; @param first ms to the first one
 */
export function every(
  name: RoundName,
  period: number,
  round: () => Promise<void>,
  log: Log,
  first = period,
): Ticker {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let underway: Promise<void> = Promise.resolve();
  const next = (after: number) => {
    timer = setTimeout(() => {
      underway = round()
        .catch((error: unknown) => log.error('round.failed', error, { round: name }))
        .then(() => (stopped ? undefined : next(period)));
    }, after);
  };
  next(first);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underway;
    },
  };
}

/** Between half of `ms` and all of it, so that those who failed together do not come back together. */
export async function sleepUpTo(ms: number): Promise<void> {
  await sleep(ms / 2 + (Math.random() * ms) / 2);
}
