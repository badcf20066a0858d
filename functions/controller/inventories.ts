// What the last hosts of this release had, by the hashes of their inventories: graphs are checked against it while no host
// is alive. Pure.

import type { Fleet } from '../core/fleet.ts';
import { type Host, isAlive } from '../core/host.ts';
import { REMEMBERED_INVENTORIES } from '../core/limits.ts';
import { TIMINGS } from '../core/timings.ts';

/** Those of the hosts alive now; without any, those of the last round. Undefined: none of this release is known. */
export function inventoriesNow(
  { inventories: before, release: of }: Pick<Fleet, 'inventories' | 'release'>,
  hosts: readonly Pick<Host, 'inventoryHash' | 'seenAt' | 'release'>[],
  { release, now }: { release: string; now: number },
): string[] | undefined {
  const hashes = hosts
    .filter((host) => isAlive(host, now, TIMINGS) && (host.release ?? release) === release)
    .flatMap(({ inventoryHash: hash }) => hash ?? []);
  if (hashes.length === 0) return of === release ? before : undefined;
  return [...new Set(hashes)].sort().slice(0, REMEMBERED_INVENTORIES);
}
