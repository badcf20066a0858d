// Unrunnable jobs: hosts of this release skip them for missing requirements, and so would another one. They start no host,
// since it would find nothing to run and end, over and over until they expire. Pure.

import type { Fleet } from '../core/fleet.ts';
import { type Host, isAlive } from '../core/host.ts';
import { UNRUNNABLE_FOR } from '../core/limits.ts';
import { TIMINGS } from '../core/timings.ts';

/** Job id → since when, ms. */
export type Unrunnable = NonNullable<Fleet['unrunnable']>;

/** As many waiting jobs as a host reads: behind so many unrunnable ones it finds nothing. */
export const HEAD = 100;

/** The unrunnable jobs of the head now. @param head ids of the first waiting jobs, at most HEAD */
export function unrunnableNow(
  { unrunnable: before = {}, release: of }: Pick<Fleet, 'unrunnable' | 'release'>,
  hosts: readonly Pick<Host, 'unrunnable' | 'seenAt' | 'release'>[],
  { head, release, now }: { head: readonly string[]; release: string; now: number },
): Unrunnable {
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

/** The number of waiting jobs for which a host may be started. */
export function runnableCount(waiting: number, head: readonly string[], unrunnable: Unrunnable): number {
  const known = Object.keys(unrunnable).length;
  return head.length >= HEAD && known >= head.length ? 0 : Math.max(0, waiting - known);
}
