// Whether the controller has been looking at the tables without a break. After one (they did not answer, this machine
// slept, the clock was set) everybody seems to have been silent, until each had the time to show that it lives.

import { EXPIRY_SEEN_FOR } from '../core/limits.ts';
import { createLived } from '../core/lived.ts';
import { showsLifeWithin, TIMINGS, type Timings } from '../core/timings.ts';

export interface Watch {
  /** Of a round that begins: may it judge by how long ago somebody was heard of? @param asOf the tables' ms */
  mayJudge(asOf: number): boolean;
  /** That round came to its end. However long it took: a table that is slow must not keep it from judging. */
  polled(at: number): void;
  /** How long ago that was, breaks aside. */
  age(moment: number, asOf: number): number;
  /** For how long a job waits that was accepted then. 0 until this process has looked for long enough. */
  waitsFor(acceptedAt: number, asOf: number): number;
}

/** @param period ms between rounds. The first round is taken for one of many: a process may be new at each. */
export function createWatch(period: number, timings: Timings = TIMINGS): Watch {
  const judgesAfter = showsLifeWithin(timings);
  const lived = createLived(period + judgesAfter);
  let since = -Infinity;
  let seenSince: number | undefined;
  const age = (moment: number, asOf: number) => asOf - moment - lived.skipped(moment);
  return {
    mayJudge(asOf) {
      const isBreak = lived.begins(asOf);
      if (isBreak) since = asOf;
      // A clock that was set back must not keep it waiting.
      since = Math.min(since, asOf);
      seenSince = isBreak ? asOf : Math.min(seenSince ?? asOf, asOf);
      return asOf - since >= judgesAfter;
    },
    polled: (at) => lived.ended(at),
    age,
    waitsFor(acceptedAt, asOf) {
      if (seenSince === undefined || asOf - seenSince < EXPIRY_SEEN_FOR) return 0;
      return age(acceptedAt, asOf);
    },
  };
}
