// Snapshots for rounds of scaling: a quiet fleet, and hosts and instances to put into it.

import type { HostSnapshot, Snapshot } from '../../functions/controller/instances.ts';
import { type Fleet, type SeenInstance, UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import type { Instance } from '../../functions/machines/machines.ts';

export const NOW = Date.parse('2026-11-23T12:00:00Z');
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const RELEASE = 'r1';

export const host = (id: string, more: Partial<HostSnapshot> = {}): HostSnapshot => ({
  hostId: `${id}.run`,
  machineId: id,
  state: 'ready',
  comfyui: true,
  held: 0,
  seenAt: NOW,
  startedAt: NOW - HOUR,
  release: RELEASE,
  ...more,
});

export const instance = (id: string, state: Instance['state'] = 'in_service'): Instance => ({
  id,
  state,
  isProtected: true,
});

/** `ids` are instances of the group; `hosts` are up unless said otherwise. */
export const snapshot = (
  more: Partial<Omit<Snapshot, 'group'>> & { group?: Partial<Snapshot['group']> } = {},
): Snapshot => ({
  now: NOW,
  waiting: 0,
  held: 0,
  hosts: [],
  maxHosts: 5,
  warm: 0,
  spot: false,
  release: RELEASE,
  ...more,
  group: {
    desired: more.group?.instances?.length ?? 0,
    min: 0,
    max: 10,
    instances: [],
    ...more.group,
  },
});

/** A fleet whose last round was a minute ago. */
export const memory = (more: Partial<Fleet> = {}): Fleet => ({
  ...UNKNOWN_FLEET,
  version: 7,
  updatedAt: NOW - MINUTE,
  desired: Object.keys(more.seen ?? {}).length,
  raisedAt: NOW - HOUR,
  release: RELEASE,
  secondsPerJob: 30,
  ...more,
});

export const working: SeenInstance = { firstSeen: NOW - HOUR, upAt: NOW - MINUTE };
export const startingFor = (minutes: number): SeenInstance => ({ firstSeen: NOW - minutes * MINUTE });

/** A group of one instance. */
export const one = { instances: [instance('i-a')] };

export const quota = { code: 'quota', reason: 'the quota is 0', at: NOW - 10 * SECOND } as const;
export const gaveUp = {
  code: 'never_registered',
  reason: 'two did not come up',
  at: NOW - 10 * MINUTE,
} as const;
