// How many GPU hosts there should be: one round of the controller as a pure function of what it read and what it
// remembers. It only raises (idle hosts end themselves), takes back what AWS cannot launch, ends instances that never
// came up, and retires what runs an old release. Source: docs/architecture.md, "On AWS". `npm run simulate` runs it over a day.

import type { Blocked, Fleet, SeenInstance } from '../core/fleet.ts';
import { isAlive } from '../core/host.ts';
import {
  BACKLOG_DONE_WITHIN,
  JOB_SECONDS_GUESS,
  RAISE_COOLDOWN,
  SCALE_EVERY,
  START_TRIED_AGAIN_AFTER,
} from '../core/limits.ts';
import { TIMINGS } from '../core/timings.ts';
import { blockedBy, isInVain, mayTryAgain } from './blocked.ts';
import { onDemandHosts } from './spot.ts';
import {
  type HostSnapshot,
  type InstanceState,
  observe,
  recall,
  type Snapshot,
  stateOf,
} from './instances.ts';

export interface Decision {
  /** There where it should be raised, to how many. */
  raiseTo?: number;
  /** There where the number of hosts that are on demand should be another. */
  onDemandBase?: number;
  /** What was asked for and is not launched is to be taken back. */
  withdraw: boolean;
  /** Instances to end. */
  terminate: string[];
  /** Hosts to retire, at most one. */
  retire: string[];
  /** What to remember; `version` is as it was. */
  fleet: Fleet;
}

/**
 * Between two rounds a new job only matters where nothing is up or coming: the rest can wait for the next round, and
 * Auto Scaling's calls are few.
 */
export function isWorthARound(
  fleet: Fleet,
  hosts: readonly Pick<HostSnapshot, 'state' | 'seenAt'>[],
  now: number,
): boolean {
  if (Math.abs(now - fleet.updatedAt) >= SCALE_EVERY) return true;
  if (fleet.blocked || hosts.some((host) => host.state === 'ready' && isAlive(host, now, TIMINGS)))
    return false;
  const instances = Object.values(fleet.seen);
  const starts = instances.some((one) => stateOf(one, now) === 'starting');
  return !starts && fleet.desired <= instances.length;
}

export function decide(snapshot: Snapshot, remembered: Fleet): Decision {
  const { now, group, waiting, held, release } = snapshot;
  const memory = recall(remembered, snapshot);
  const { seen, failures, cameUp, secondsPerStart } = observe(snapshot, memory);
  const failedStarts = (cameUp ? 0 : memory.failedStarts) + failures;
  const secondsPerJob = measuredSeconds(snapshot) ?? memory.secondsPerJob;

  const live = group.instances.filter(({ state }) => state !== 'ending');
  const unlaunched = Math.max(0, group.desired - live.length);
  const limit = Math.min(snapshot.maxHosts, group.max);
  const blocked = blockedBy(snapshot, memory, {
    failed: failedStarts,
    unlaunched,
    limit,
    needed: waiting > 0 || snapshot.warm > 0,
    seen,
  });
  const withdraw = isInVain(snapshot, memory, unlaunched);
  if (blocked?.code === 'never_registered' && memory.raisedAt <= blocked.at)
    // Auto Scaling replaces what ends by itself: nobody asked for these.
    for (const one of Object.values(seen))
      if (one.upAt === undefined && one.firstSeen > blocked.at) one.givenUp = true;

  const states = Object.values(seen).map((one) => stateOf(one, now));
  const count = (state: InstanceState) => states.filter((one) => one === state).length;
  const starting = count('starting') + unlaunched;
  const capacity = count('working') + count('restarting') + starting;

  const asked = Math.ceil(
    ((waiting + held) * (secondsPerJob ?? JOB_SECONDS_GUESS) * 1000) / BACKLOG_DONE_WITHIN,
  );
  const backlog = waiting === 0 ? 0 : Math.max(1, asked);
  const old = outdated(snapshot, seen, memory);
  // Where hosts are to stay up one of them goes once its successor is up, if there is room for one.
  const successor = old.length > 0 && snapshot.warm > 0 && snapshot.warm < limit ? 1 : 0;
  const wanted = Math.max(0, Math.min(limit, Math.max(backlog, snapshot.warm + successor)));
  const warm = longestUp(seen, now).slice(0, Math.min(wanted, snapshot.warm));
  const allowed = raisesAllowed(wanted - capacity, {
    now,
    memory,
    blocked,
    starting,
    unlaunched,
    capacity,
  });
  const raiseTo = Math.min(limit, Math.max(group.desired, live.length) + allowed);
  const raises = allowed > 0 && raiseTo > group.desired && raiseTo > live.length;

  const calm = starting === 0 && count('restarting') === 0 && count('draining') === 0 && !blocked;
  const onDemandBase = onDemandHosts(snapshot, { live: live.length, wanted, blocked });
  return {
    ...(raises && { raiseTo }),
    ...(onDemandBase !== undefined && { onDemandBase }),
    withdraw,
    terminate: Object.keys(seen).filter((id) => seen[id]!.givenUp),
    retire: calm && (successor === 0 || count('working') > snapshot.warm) ? old.slice(0, 1) : [],
    fleet: {
      ...memory,
      updatedAt: now,
      desired: raises ? raiseTo : withdraw ? Math.max(group.min, live.length) : group.desired,
      wanted,
      ready: count('working'),
      raisedAt: raises ? now : memory.raisedAt,
      ...(secondsPerJob !== undefined && { secondsPerJob }),
      ...(secondsPerStart !== undefined && { secondsPerStart }),
      seen,
      failedStarts,
      release,
      blocked,
      warm: warm.length > 0 ? warm : undefined,
    },
  };
}

/** The longest first, so that it is the same ones in each round. */
function longestUp(seen: Record<string, SeenInstance>, now: number): string[] {
  return Object.entries(seen)
    .filter(([, one]) => ['working', 'restarting'].includes(stateOf(one, now)))
    .sort(([a, { firstSeen: since }], [b, { firstSeen }]) => since - firstSeen || (a < b ? -1 : 1))
    .map(([id]) => id);
}

function raisesAllowed(
  missing: number,
  at: {
    now: number;
    memory: Fleet;
    blocked: Blocked | undefined;
    starting: number;
    unlaunched: number;
    capacity: number;
  },
): number {
  const { now, memory, blocked, starting, unlaunched, capacity } = at;
  if (missing <= 0) return 0;
  if (blocked?.code === 'never_registered') {
    const lastTry = Math.max(blocked.at, memory.raisedAt);
    return starting === 0 && now - lastTry >= START_TRIED_AGAIN_AFTER ? 1 : 0;
  }
  if (blocked) return mayTryAgain(now, blocked, memory, unlaunched) ? 1 : 0;
  // With nothing up and nothing coming there is nothing to cool down from.
  return capacity === 0 || now - memory.raisedAt >= RAISE_COOLDOWN ? missing : 0;
}

/**
 * Hosts to be rolled, one at a time and only where all others work: a release that does not start replaces nothing. The
 * idlest first, then the oldest. Of instances that are older than the wanted release alone: a later one is of the next,
 * and the controller's own deployment is on its way, or failed.
 */
function outdated(
  { now, hosts, release }: Snapshot,
  seen: Record<string, SeenInstance>,
  { releaseSince = now }: Fleet,
): string[] {
  return hosts
    .filter(
      (host) => isAlive(host, now, TIMINGS) && (seen[host.machineId]?.firstSeen ?? Infinity) <= releaseSince,
    )
    .filter((host) => host.release !== undefined && host.release !== release)
    .filter((host) => host.state === 'ready' && host.retire !== true)
    .sort((a, b) => a.held - b.held || a.startedAt - b.startedAt)
    .map(({ hostId }) => hostId);
}

/** The median of what the hosts that are alive have measured. */
function measuredSeconds({ now, hosts }: Snapshot): number | undefined {
  const measured = hosts
    .filter((host) => isAlive(host, now, TIMINGS))
    .flatMap(({ jobSeconds }) => (jobSeconds !== undefined && jobSeconds > 0 ? jobSeconds : []))
    .sort((a, b) => a - b);
  return measured[Math.floor(measured.length / 2)];
}
