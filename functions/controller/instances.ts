// The group's instances in one round's snapshot: which came up, which are starting, which are given up. Pure; scale.ts
// decides what follows.

import type { Fleet, SeenInstance } from '../core/fleet.ts';
import { type Host, instanceOf, isAlive } from '../core/host.ts';
import { HOST_DRAIN_LIMIT, HOST_RESTARTS_WITHIN, HOST_START_LIMIT, UNWATCHED_AFTER } from '../core/limits.ts';
import type { LaunchFailure } from '../machines/launches.ts';
import type { Group } from '../machines/machines.ts';
import { TIMINGS } from '../core/timings.ts';

export type HostSnapshot = Pick<
  Host,
  | 'hostId'
  | 'machineId'
  | 'instanceId'
  | 'state'
  | 'comfyui'
  | 'held'
  | 'seenAt'
  | 'startedAt'
  | 'release'
  | 'retire'
  | 'jobSeconds'
>;

/** What a round has read. */
export interface Snapshot {
  /** ms, the tables' clock. */
  now: number;
  waiting: number;
  held: number;
  /** Including dead ones. On EC2 a host's machine is its instance. */
  hosts: readonly HostSnapshot[];
  group: Group;
  launchFailure?: LaunchFailure | undefined;
  maxHosts: number;
  /** Hosts to keep up without work. */
  warm: number;
  /** Prefer spot instances. */
  spot: boolean;
  release: string;
}

/** The stored memory, corrected for a clock that was set back, a new release, and a gap without rounds. */
export function recall(fleet: Fleet, { now, group, release }: Snapshot): Fleet {
  const past = (time: number) => Math.min(time, now);
  const unwatched = now - fleet.updatedAt > UNWATCHED_AFTER;
  const seen: Record<string, SeenInstance> = {};
  for (const [id, { firstSeen, upAt, drainingAt, givenUp }] of Object.entries(fleet.seen))
    seen[id] = {
      firstSeen: unwatched ? now : past(firstSeen),
      ...(upAt !== undefined && { upAt: unwatched ? now : past(upAt) }),
      ...(drainingAt !== undefined && { drainingAt: unwatched ? now : past(drainingAt) }),
      ...(givenUp && { givenUp }),
    };
  const isNewRelease = fleet.release !== undefined && fleet.release !== release;
  const raisedByHand = fleet.updatedAt > 0 && group.desired > fleet.desired;
  return {
    ...fleet,
    updatedAt: past(fleet.updatedAt),
    raisedAt: raisedByHand ? now : past(fleet.raisedAt),
    seen,
    failedStarts: isNewRelease ? 0 : fleet.failedStarts,
    ...((unwatched || fleet.release !== release) && { releaseSince: now }),
    // The new release may start where the old one did not.
    blocked: isNewRelease ? undefined : fleet.blocked && { ...fleet.blocked, at: past(fleet.blocked.at) },
  };
}

/** Each instance after this snapshot, and how many observed starts have failed since the last. */
export function observe({ now, group, hosts }: Snapshot, memory: Fleet) {
  const watched = now - memory.updatedAt <= UNWATCHED_AFTER;
  const seen: Record<string, SeenInstance> = {};
  let failures = 0;
  let cameUp = false;
  let { secondsPerStart } = memory;
  const alive = new Map<string, HostSnapshot[]>();
  for (const host of hosts)
    if (isAlive(host, now, TIMINGS))
      alive.set(instanceOf(host), [...(alive.get(instanceOf(host)) ?? []), host]);
  for (const { id } of group.instances.filter(({ state }) => state !== 'ending')) {
    const before = memory.seen[id];
    const own = alive.get(id) ?? [];
    const drains = own.some((host) => host.state === 'draining' || host.retire === true);
    const one: SeenInstance = { firstSeen: now, ...before };
    seen[id] = one;
    if (drains) one.drainingAt ??= now;
    else delete one.drainingAt;
    if (drains || own.some((host) => host.comfyui)) {
      if (one.upAt === undefined) {
        cameUp = true;
        if (before && watched) secondsPerStart = mean(secondsPerStart, (now - one.firstSeen) / 1000);
      }
      one.upAt = now;
      delete one.givenUp;
    } else if (!one.givenUp && now - (one.upAt ?? one.firstSeen) >= HOST_START_LIMIT) {
      one.givenUp = true;
      if (one.upAt === undefined) failures += 1;
    }
    if (now - (one.drainingAt ?? now) >= HOST_DRAIN_LIMIT) one.givenUp = true;
  }
  // An instance that ended before it came up counts as failed: Auto Scaling would replace it again and again.
  for (const [id, one] of Object.entries(memory.seen))
    if (!seen[id] && one.upAt === undefined && !one.givenUp && watched) failures += 1;
  return { seen, failures, cameUp, secondsPerStart };
}

function mean(before: number | undefined, measured: number): number {
  return before === undefined ? measured : (before + measured) / 2;
}

export type InstanceState = 'starting' | 'working' | 'restarting' | 'draining' | 'silent';

/** @param now ms, as `observe` had it: `working` is an instance that was up at this very time */
export function stateOf(one: SeenInstance, now: number): InstanceState {
  if (one.givenUp) return 'silent';
  if (one.drainingAt !== undefined) return 'draining';
  if (one.upAt === undefined) return 'starting';
  if (one.upAt === now) return 'working';
  return now - one.upAt < HOST_RESTARTS_WITHIN ? 'restarting' : 'silent';
}
