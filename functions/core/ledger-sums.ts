// What the intervals of ledgers come to together: sums and quantiles, for those who look. Pure.

import type { FailureCode } from './job-state.ts';
import { addedTries, BOUNDS, emptyInterval, type Interval } from './ledger.ts';

export function sumOf(intervals: readonly Interval[]): Required<Interval> {
  const added = (a: readonly number[], b: readonly number[]) => a.map((count, at) => count + (b[at] ?? 0));
  return intervals.reduce<Required<Interval>>((so, one) => {
    const failed = { ...so.failed };
    for (const [code, count] of Object.entries(one.failed) as [FailureCode, number][])
      failed[code] = (failed[code] ?? 0) + count;
    return {
      completed: so.completed + one.completed,
      failed,
      outputs: so.outputs + one.outputs,
      gpuMs: so.gpuMs + one.gpuMs,
      waitMs: so.waitMs + one.waitMs,
      waits: added(so.waits, one.waits),
      runs: added(so.runs, one.runs),
      webhooks: addedTries(so.webhooks, one.webhooks),
      cancelled: so.cancelled + (one.cancelled ?? 0),
    };
  }, emptyInterval());
}

/**
 * Seconds below which this share of the counted jobs lie, drawn straight within a bound, as Prometheus does. Past the last
 * bound it is that bound. Null: none was counted.
 */
export function quantile(counts: readonly number[], share: number): number | null {
  const all = counts.reduce((so, count) => so + count, 0);
  if (all === 0) return null;
  const rank = share * all;
  let below = 0;
  for (const [index, upper] of BOUNDS.entries()) {
    const here = counts[index] ?? 0;
    if (here > 0 && below + here >= rank) {
      const lower = BOUNDS[index - 1] ?? 0;
      return Math.round((lower + ((upper - lower) * (rank - below)) / here) * 100) / 100;
    }
    below += here;
  }
  return BOUNDS.at(-1)!;
}
