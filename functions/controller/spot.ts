// When spot hosts are not to be had: how many hosts are to be on demand instead. Auto Scaling has no such rule; it has a
// number of hosts that are always on demand, which is raised by as many as lack, and taken back when no host is left: with
// hosts there, it might replace some only to restore the mixture. Pure.

import type { Blocked } from '../core/fleet.ts';
import { SPOT_GIVEN_UP_AFTER } from '../core/limits.ts';
import type { Snapshot } from './instances.ts';

/** @returns what the group's number should be; undefined: as it is */
export function onDemandHosts(
  { now, spot, group }: Pick<Snapshot, 'now' | 'spot' | 'group'>,
  { live, wanted, blocked }: { live: number; wanted: number; blocked: Blocked | undefined },
): number | undefined {
  if (!spot) return undefined;
  const { onDemandBase: before = 0, desired } = group;
  if (before > 0 && live === 0 && desired === 0 && wanted === 0) return 0;
  const missingRequirements = blocked?.code === 'no_capacity' && now - blocked.at >= SPOT_GIVEN_UP_AFTER;
  if (before === 0 && !missingRequirements) return undefined;
  // Those on demand come first: what is there beyond their number is spot.
  const wantedOnDemand = wanted - Math.max(0, live - before);
  return wantedOnDemand > before ? wantedOnDemand : undefined;
}
