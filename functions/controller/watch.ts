// Whether the controller has been looking at the tables without a break. After one (they did not answer, this machine
// slept) everybody seems to have been silent, until each had the time to show that it lives.

import { SHOWS_LIFE_WITHIN } from '../core/limits.ts';

export interface Watch {
  /** Of a round that begins: may it judge by how long ago somebody was heard of? @param asOf the tables' ms */
  mayJudge(asOf: number): boolean;
  /** That round came to its end. However long it took: a table that is slow must not keep it from judging. */
  looked(at: number): void;
}

/** @param period ms between rounds. The first round is taken for one of many: a process may be new at each. */
export function createWatch(period: number): Watch {
  let since = -Infinity;
  let last: number | undefined;
  return {
    mayJudge(asOf) {
      if (last !== undefined && asOf - last > period + SHOWS_LIFE_WITHIN) since = asOf;
      // A clock that was set back must not keep it waiting.
      since = Math.min(since, asOf);
      return asOf - since >= SHOWS_LIFE_WITHIN;
    },
    looked(at) {
      last = at;
    },
  };
}
