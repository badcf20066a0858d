// How many hosts are on demand while spot capacity is missing. Auto Scaling has no such rule, but a base number of on-demand
// instances: it is raised by the missing hosts, and reset when no host is left, since Auto Scaling might replace running
// hosts to restore the mixture. Pure.

import type { Blocked } from '../core/fleet.ts';
import { SPOT_GIVEN_UP_AFTER } from '../core/limits.ts';
import type { Snapshot } from './instances.ts';

/** @returns the group's new base of on-demand instances; undefined: unchanged */
export function onDemandHosts(
  { now, spot, group }: Pick<Snapshot, 'now' | 'spot' | 'group'>,
  { live, wanted, blocked }: { live: number; wanted: number; blocked: Blocked | undefined },
): number | undefined {
  if (!spot) return undefined;
  const { onDemandBase: before = 0, desired } = group;
  if (before > 0 && live === 0 && desired === 0 && wanted === 0) return 0;
  const isSpotGone = blocked?.code === 'no_capacity' && now - blocked.at >= SPOT_GIVEN_UP_AFTER;
  if (before === 0 && !isSpotGone) return undefined;
  // The first `before` instances are on demand; the rest is spot.
  const wantedOnDemand = wanted - Math.max(0, live - before);
  return wantedOnDemand > before ? wantedOnDemand : undefined;
}
