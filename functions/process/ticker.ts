// Work that comes round: never two at once, errors are logged and the next round comes all the same.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';

export interface Ticker {
  /** Resolves when the round under way is over; no other follows. */
  stop(): Promise<void>;
}

export interface Timing {
  /** Milliseconds to the first round. */
  first?: number;
  /**
   * A round that comes by more than this too late, because the machine slept or this process stood still, waits once
   * more as long: what was judged dead at waking gets the time to show that it lives. Milliseconds.
   */
  afterSleep?: number;
}

/** @param period ms from the end of a round to the start of the next */
export function every(
  period: number,
  round: () => Promise<void>,
  log: Log,
  { first = period, afterSleep }: Timing = {},
): Ticker {
  let stopped = false;
  let timer: NodeJS.Timeout;
  let underway: Promise<void> = Promise.resolve();
  const next = (after: number) => {
    // Timers stand still while a machine sleeps; this clock goes on.
    const due = Date.now() + after;
    timer = setTimeout(() => {
      if (afterSleep !== undefined && Date.now() - due > afterSleep) return next(afterSleep);
      underway = round()
        .catch((error: unknown) => log.error('round failed', error, { round: round.name }))
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
