// Jobs that wait although a host was free: it lacks their models or nodes, and so would the next one of its release. They
// wake nobody, or a host would start, find nothing and end, over and over until they expire. Pure.

import type { Fleet } from '../core/fleet.ts';
import { LEFT_ALONE_FOR } from '../core/limits.ts';
import { type Host, isAlive } from '../store/hosts.ts';

export type LeftAlone = NonNullable<Fleet['leftAlone']>;

/** As many as hosts look at: behind so many that they leave alone they find nothing. */
export const HEAD = 100;

/** @param head ids of the first jobs that wait, at most HEAD of them */
export function leftAloneNow(
  { leftAlone: before = {}, release: of }: Pick<Fleet, 'leftAlone' | 'release'>,
  hosts: readonly Pick<Host, 'leftAlone' | 'seenAt' | 'release'>[],
  { head, release, now }: { head: readonly string[]; release: string; now: number },
): LeftAlone {
  const told = new Set(
    hosts
      .filter((host) => isAlive(host, now) && (host.release ?? release) === release)
      .flatMap((host) => host.leftAlone ?? []),
  );
  const still = (jobId: string) =>
    of === release && now - (before[jobId] ?? -Infinity) < LEFT_ALONE_FOR ? before[jobId] : undefined;
  return Object.fromEntries(
    head.flatMap((jobId) => {
      const since = still(jobId) ?? (told.has(jobId) ? now : undefined);
      return since === undefined ? [] : [[jobId, since]];
    }),
  );
}

/** Of those that wait, how many a host could be started for. */
export function wakers(waiting: number, head: readonly string[], leftAlone: LeftAlone): number {
  const known = Object.keys(leftAlone).length;
  return head.length >= HEAD && known >= head.length ? 0 : Math.max(0, waiting - known);
}
