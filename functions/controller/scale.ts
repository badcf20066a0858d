// How many GPU hosts there should be: one round as a pure function of a snapshot and the fleet's memory. It raises (idle
// hosts end themselves), withdraws what AWS cannot launch, terminates instances that never came up, and retires hosts of
// an old release. Source: docs/architecture.md, "On AWS". `npm run simulate` runs it over a day.

import type { Blocked, Fleet, SeenInstance } from '../core/fleet.ts';
import { instanceOf, isAlive } from '../core/host.ts';
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
  /** The new desired capacity, where it should be raised. */
  raiseTo?: number;
  /** The new number of on-demand hosts, where it should change. */
  onDemandBase?: number;
  /** Withdraw the capacity that is not launched. */
  withdraw: boolean;
  /** Ids of instances to terminate. */
  terminate: string[];
  /** Ids of hosts to retire, at most one. */
  retire: string[];
  /** The memory to write; `version` is unchanged. */
  fleet: Fleet;
}

/**
 * Does a new job call for a round before the next scheduled one? Only where no host is up or starting, since the rate of
 * calls to Auto Scaling is limited. @param now ms
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

/** @param remembered as stored after the last round */
export function decide(snapshot: Snapshot, remembered: Fleet): Decision {
  const { now, group, waiting, held, release } = snapshot;
  const memory = recall(remembered, snapshot);
  const { seen, failures, cameUp, secondsPerStart } = observe(snapshot, memory);
  const failedStarts = (cameUp ? 0 : memory.failedStarts) + failures;
  const secondsPerJob = measuredSeconds(snapshot) ?? memory.secondsPerJob;
  const hostsPerInstance = countedHosts(snapshot, seen) ?? memory.hostsPerInstance;

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
    // Auto Scaling replaces instances that end by themselves; these were not requested here.
    for (const one of Object.values(seen))
      if (one.upAt === undefined && one.firstSeen > blocked.at) one.givenUp = true;

  const states = Object.values(seen).map((one) => stateOf(one, now));
  const count = (state: InstanceState) => states.filter((one) => one === state).length;
  const starting = count('starting') + unlaunched;
  const capacity = count('working') + count('restarting') + starting;

  const asked = Math.ceil(
    ((waiting + held) * (secondsPerJob ?? JOB_SECONDS_GUESS) * 1000) /
      (BACKLOG_DONE_WITHIN * (hostsPerInstance ?? 1)),
  );
  const backlog = waiting === 0 ? 0 : Math.max(1, asked);
  const old = outdated(snapshot, seen, memory);
  // A host that is kept warm is replaced once its successor is up, if the limit allows one more.
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
      hostsPerInstance: hostsPerInstance === 1 ? undefined : hostsPerInstance,
      seen,
      failedStarts,
      release,
      blocked,
      warm: warm.length > 0 ? warm : undefined,
    },
  };
}

/** Ids, the longest up first, so that each round names the same ones. */
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
  // The cooldown applies only where a host is up or starting.
  return capacity === 0 || now - memory.raisedAt >= RAISE_COOLDOWN ? missing : 0;
}

/**
 * Ids of ready hosts with another release, the idlest first, then the oldest. Only of instances that are older than the
 * wanted release: a younger one may have the next release, before the controller's own deployment has arrived.
 */
function outdated(
  { now, hosts, release }: Snapshot,
  seen: Record<string, SeenInstance>,
  { releaseSince = now }: Fleet,
): string[] {
  return hosts
    .filter(
      (host) =>
        isAlive(host, now, TIMINGS) && (seen[instanceOf(host)]?.firstSeen ?? Infinity) <= releaseSince,
    )
    .filter((host) => host.release !== undefined && host.release !== release)
    .filter((host) => host.state === 'ready' && host.retire !== true)
    .sort((a, b) => a.held - b.held || a.startedAt - b.startedAt)
    .map(({ hostId }) => hostId);
}

/** The mean number of living hosts of the group's instances that have any; undefined: none has. */
function countedHosts({ now, hosts }: Snapshot, seen: Record<string, SeenInstance>): number | undefined {
  const instances = hosts
    .filter((host) => isAlive(host, now, TIMINGS))
    .map(instanceOf)
    .filter((id) => Object.hasOwn(seen, id));
  return instances.length === 0 ? undefined : instances.length / new Set(instances).size;
}

/** The median GPU seconds of a job over the hosts alive; undefined: none has measured. */
function measuredSeconds({ now, hosts }: Snapshot): number | undefined {
  const measured = hosts
    .filter((host) => isAlive(host, now, TIMINGS))
    .flatMap(({ jobSeconds }) => (jobSeconds !== undefined && jobSeconds > 0 ? jobSeconds : []))
    .sort((a, b) => a - b);
  return measured[Math.floor(measured.length / 2)];
}
