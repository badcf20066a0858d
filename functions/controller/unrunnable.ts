// Jobs that wait although a host was free: it lacks their models or nodes, and so would the next one of its release. They
// wake nobody, or a host would start, find nothing and end, over and over until they expire. Pure.

import type { Fleet } from '../core/fleet.ts';
import { type Host, isAlive } from '../core/host.ts';
import { UNRUNNABLE_FOR } from '../core/limits.ts';
import { TIMINGS } from '../core/timings.ts';

export type LeftAlone = NonNullable<Fleet['unrunnable']>;

/** As many as hosts look at: behind so many that they leave alone they find nothing. */
export const HEAD = 100;

/** @param head ids of the first jobs that wait, at most HEAD of them */
export function unrunnableNow(
  { unrunnable: before = {}, release: of }: Pick<Fleet, 'unrunnable' | 'release'>,
  hosts: readonly Pick<Host, 'unrunnable' | 'seenAt' | 'release'>[],
  { head, release, now }: { head: readonly string[]; release: string; now: number },
): LeftAlone {
  const reported = new Set(
    hosts
      .filter((host) => isAlive(host, now, TIMINGS) && (host.release ?? release) === release)
      .flatMap((host) => host.unrunnable ?? []),
  );
  const still = (jobId: string) =>
    of === release && now - (before[jobId] ?? -Infinity) < UNRUNNABLE_FOR ? before[jobId] : undefined;
  return Object.fromEntries(
    head.flatMap((jobId) => {
      const since = still(jobId) ?? (reported.has(jobId) ? now : undefined);
      return since === undefined ? [] : [[jobId, since]];
    }),
  );
}

/** Of those that wait, how many a host could be started for. */
export function wakers(waiting: number, head: readonly string[], unrunnable: LeftAlone): number {
  const known = Object.keys(unrunnable).length;
  return head.length >= HEAD && known >= head.length ? 0 : Math.max(0, waiting - known);
}
