// Whether the controller has polled the tables without a gap. After one (no answer, this machine slept, the clock was set)
// every host seems silent until it had the time for a heartbeat.

import { EXPIRY_SEEN_FOR } from '../core/limits.ts';
import { createLived } from '../core/lived-time.ts';
import { showsLifeWithin, TIMINGS, type Timings } from '../core/timings.ts';

export interface Watch {
  /** At the beginning of a round: may it judge hosts by the age of their heartbeats? @param asOf ms, the tables' clock */
  mayJudge(asOf: number): boolean;
  /** The round ended, however long it took: a slow table must not prevent judging. */
  polled(at: number): void;
  /** The time since `moment` without gaps, ms. */
  age(moment: number, asOf: number): number;
  /** The waiting time of a job, ms; 0 until this process has polled for EXPIRY_SEEN_FOR. */
  waitsFor(acceptedAt: number, asOf: number): number;
}

/** @param period ms between rounds. The first round has no gap before it: on AWS a process may serve one round only. */
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
