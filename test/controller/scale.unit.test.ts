// The rule that raises, ends and retires: each case a row, then what holds whatever is seen.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../functions/controller/instances.ts';
import { decide, isWorthARound } from '../../functions/controller/scale.ts';
import { type Fleet, isKeptWarm, UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import {
  HOUR,
  host,
  instance,
  memory,
  MINUTE,
  NOW,
  SECOND,
  snapshot,
  startingFor,
  working,
} from './snapshots.ts';

const quota = { code: 'quota', reason: 'the quota is 0', at: NOW - 10 * SECOND } as const;
const one = { instances: [instance('i-a')] };
const gaveUp = { code: 'never_registered', reason: 'two did not come up', at: NOW - 10 * MINUTE } as const;

describe('raising', () => {
  // With 30 seconds a job, ten jobs are what one host does in the five minutes.
  test.each<[string, Snapshot, Fleet, number | undefined]>([
    ['nothing waits: nothing is raised', snapshot(), memory(), undefined],
    [
      'held jobs have their host',
      snapshot({ held: 50, hosts: [host('i-a')], group: one }),
      memory(),
      undefined,
    ],
    ['the first job wakes one host', snapshot({ waiting: 1 }), memory(), 1],
    ['the first job of all', snapshot({ waiting: 1 }), UNKNOWN_FLEET, 1],
    ['before it is measured a job is taken for 45 seconds', snapshot({ waiting: 7 }), UNKNOWN_FLEET, 2],
    ['ten jobs are for one host', snapshot({ waiting: 10 }), memory(), 1],
    ['eleven are for two', snapshot({ waiting: 11 }), memory(), 2],
    [
      'held jobs count too',
      snapshot({ waiting: 9, held: 2, hosts: [host('i-a')], group: one }),
      memory({ seen: { 'i-a': working } }),
      2,
    ],
    ['never above maxHosts', snapshot({ waiting: 9000 }), memory(), 5],
    ['never above the max of the group', snapshot({ waiting: 9000, group: { max: 3 } }), memory(), 3],
    [
      'a host that starts is coming',
      snapshot({ waiting: 1, group: one }),
      memory({ seen: { 'i-a': startingFor(3) } }),
      undefined,
    ],
    [
      'an instance that is not launched yet is coming',
      snapshot({ waiting: 1, group: { desired: 1 } }),
      memory({ desired: 1 }),
      undefined,
    ],
    [
      'more wait than what comes can do',
      snapshot({ waiting: 30, group: one }),
      memory({ seen: { 'i-a': startingFor(3) } }),
      3,
    ],
    [
      'but not before the last raise has cooled down',
      snapshot({ waiting: 30, group: one }),
      memory({ seen: { 'i-a': startingFor(1) }, raisedAt: NOW - MINUTE }),
      undefined,
    ],
    ['with nothing up nothing cools down', snapshot({ waiting: 1 }), memory({ raisedAt: NOW - SECOND }), 1],
    [
      'a host that drains is no capacity',
      snapshot({ waiting: 1, hosts: [host('i-a', { state: 'draining' })], group: one }),
      memory({ seen: { 'i-a': working } }),
      2,
    ],
    [
      'nor one that is asked to retire',
      snapshot({ waiting: 1, hosts: [host('i-a', { retire: true })], group: one }),
      memory({ seen: { 'i-a': working } }),
      2,
    ],
    [
      'at the max a draining one is waited for',
      snapshot({ waiting: 1, maxHosts: 1, hosts: [host('i-a', { state: 'draining' })], group: one }),
      memory({ seen: { 'i-a': working } }),
      undefined,
    ],
    [
      'a host process that restarts is waited for',
      snapshot({ waiting: 1, group: one }),
      memory({ seen: { 'i-a': { firstSeen: NOW - HOUR, upAt: NOW - MINUTE } } }),
      undefined,
    ],
    [
      'one that is silent for longer is replaced',
      snapshot({ waiting: 1, hosts: [host('i-a', { seenAt: NOW - 2 * MINUTE })], group: one }),
      memory({ seen: { 'i-a': { firstSeen: NOW - HOUR, upAt: NOW - 2 * MINUTE } } }),
      2,
    ],
    [
      'an instance that is ending is gone',
      snapshot({ waiting: 1, group: { desired: 0, instances: [instance('i-a', 'ending')] } }),
      memory({ seen: { 'i-a': working } }),
      1,
    ],
    [
      'jobs as the hosts measure them',
      snapshot({ waiting: 20, hosts: [host('i-a', { jobSeconds: 60 })], group: one }),
      memory({ seen: { 'i-a': working } }),
      4,
    ],
  ])('%s', (_, seen, remembered, raiseTo) => {
    expect(decide(seen, remembered).raiseTo).toBe(raiseTo);
  });

  test('the median of what is measured is remembered when no host is alive', () => {
    const hosts = [
      host('i-a', { jobSeconds: 10 }),
      host('i-b', { jobSeconds: 30 }),
      host('i-c', { jobSeconds: 900 }),
    ];
    const { fleet } = decide(snapshot({ hosts }), memory());
    expect(fleet.secondsPerJob).toBe(30);
    expect(
      decide(snapshot({ hosts: [host('i-a', { jobSeconds: 5, seenAt: NOW - HOUR })] }), fleet).fleet
        .secondsPerJob,
    ).toBe(30);
  });

  test('what a start takes is measured when a host comes up', () => {
    const { fleet } = decide(
      snapshot({ hosts: [host('i-a')], group: one }),
      memory({ seen: { 'i-a': startingFor(4) } }),
    );
    expect(fleet.secondsPerStart).toBe(240);
    expect(fleet.seen['i-a']).toEqual({ firstSeen: NOW - 4 * MINUTE, upAt: NOW });
  });
});

describe('warm', () => {
  const upFor = (hours: number) => ({ firstSeen: NOW - hours * HOUR, upAt: NOW - MINUTE });
  const ids = ['i-a', 'i-b', 'i-c'];
  const three = {
    hosts: ids.map((id) => host(id)),
    group: { instances: ids.map((id) => instance(id)) },
  };
  const seen = { 'i-a': upFor(1), 'i-b': upFor(3), 'i-c': upFor(2) };

  test('hosts are started and nothing waits', () => {
    expect(decide(snapshot({ warm: 2 }), memory())).toMatchObject({ raiseTo: 2, fleet: { wanted: 2 } });
    expect(decide(snapshot({ warm: 2, maxHosts: 1 }), memory()).raiseTo).toBe(1);
    expect(decide(snapshot({ warm: 2, waiting: 11 }), memory()).raiseTo).toBe(2);
    expect(decide(snapshot({ warm: 1, waiting: 40 }), memory()).raiseTo).toBe(4);
  });

  test('those that have been up longest stay, and it is said which', () => {
    const two = decide(snapshot({ ...three, warm: 2 }), memory({ seen }));
    expect(two.raiseTo).toBeUndefined();
    expect(two.fleet.warm).toEqual(['i-b', 'i-c']);
    expect(decide(snapshot({ ...three, warm: 9 }), memory({ seen })).fleet.warm).toHaveLength(3);
    expect(decide(snapshot({ ...three, warm: 0 }), memory({ seen })).fleet.warm).toBeUndefined();
  });

  test('one that drains is replaced', () => {
    const drains = {
      ...three,
      hosts: [host('i-b', { state: 'draining' }), ...ids.filter((id) => id !== 'i-b').map((id) => host(id))],
    };
    const { raiseTo, fleet } = decide(snapshot({ ...drains, warm: 3 }), memory({ seen }));
    expect(raiseTo).toBe(4);
    expect(fleet.warm).toEqual(['i-c', 'i-a']);
  });

  test('what cannot be started is said, and tried no more often than for a job', () => {
    const unfilled = { desired: 1, instances: [] };
    const failed = decide(
      snapshot({ warm: 1, group: unfilled, launchFailure: quota }),
      memory({ desired: 1, raisedAt: NOW - MINUTE }),
    );
    expect(failed).toMatchObject({ withdraw: true, fleet: { blocked: { code: 'quota' } } });
    expect(decide(snapshot({ now: NOW + SECOND, warm: 1 }), failed.fleet).raiseTo).toBeUndefined();
    expect(decide(snapshot({ warm: 1, maxHosts: 0 }), memory()).fleet.blocked?.code).toBe('no_hosts_allowed');
  });

  test('a machine asks whether it is one of them, and believes no controller that has fallen silent', () => {
    const fleet = memory({ warm: ['i-a'], updatedAt: NOW });
    expect(isKeptWarm(fleet, 'i-a', NOW + 4 * MINUTE)).toBe(true);
    expect(isKeptWarm(fleet, 'i-b', NOW)).toBe(false);
    expect(isKeptWarm(fleet, 'i-a', NOW + 6 * MINUTE)).toBe(false);
    expect(isKeptWarm(UNKNOWN_FLEET, 'i-a', NOW)).toBe(false);
  });
});

describe('ending what never came up', () => {
  const minute = (n: number, more: Partial<Snapshot> = {}) =>
    decide(snapshot({ group: one, ...more }), memory({ seen: { 'i-a': startingFor(n) } }));

  test('it has 15 minutes from when it was first seen', () => {
    expect(minute(14).terminate).toEqual([]);
    expect(minute(15)).toMatchObject({ terminate: ['i-a'], fleet: { failedStarts: 1 } });
  });

  test('a host whose ComfyUI never answered did not come up either', () => {
    expect(minute(15, { hosts: [host('i-a', { comfyui: false })] }).terminate).toEqual(['i-a']);
    expect(minute(15, { hosts: [host('i-a')] }).terminate).toEqual([]);
  });

  test('it is terminated again every round until it is gone, and counted once', () => {
    const first = minute(15);
    const second = decide(snapshot({ now: NOW + MINUTE, group: one }), first.fleet);
    expect(second).toMatchObject({ terminate: ['i-a'], fleet: { failedStarts: 1 } });
    const gone = { desired: 0, instances: [instance('i-a', 'ending')] };
    expect(decide(snapshot({ now: NOW + 2 * MINUTE, group: gone }), second.fleet)).toMatchObject({
      terminate: [],
      fleet: { failedStarts: 1, seen: {} },
    });
  });

  test('one that worked and then went silent is ended after 15 minutes, and is no failed start', () => {
    const silent = (minutes: number) =>
      decide(
        snapshot({ group: one }),
        memory({ seen: { 'i-a': { firstSeen: NOW - HOUR, upAt: NOW - minutes * MINUTE } } }),
      );
    expect(silent(14).terminate).toEqual([]);
    expect(silent(15)).toMatchObject({ terminate: ['i-a'], fleet: { failedStarts: 0 } });
  });

  test('one that drains for longer than a job can last is ended', () => {
    const seen = { 'i-a': { ...working, drainingAt: NOW - 75 * MINUTE } };
    const drains = snapshot({ hosts: [host('i-a', { state: 'draining' })], group: one });
    expect(decide(drains, memory({ seen })).terminate).toEqual(['i-a']);
    seen['i-a'].drainingAt += MINUTE;
    expect(decide(drains, memory({ seen })).terminate).toEqual([]);
  });

  test('one that ended by itself before it came up is a failed start', () => {
    expect(decide(snapshot(), memory({ seen: { 'i-a': startingFor(3) } })).fleet.failedStarts).toBe(1);
    expect(decide(snapshot(), memory({ seen: { 'i-a': working } })).fleet.failedStarts).toBe(0);
  });

  test('a time without rounds does not count against a host', () => {
    const seen = {
      'i-a': startingFor(40),
      'i-b': { firstSeen: NOW - HOUR, upAt: NOW - 40 * MINUTE },
      'i-c': startingFor(40),
    };
    const { terminate, fleet } = decide(
      snapshot({ group: { instances: [instance('i-a'), instance('i-b')] } }),
      memory({ seen, updatedAt: NOW - 40 * MINUTE }),
    );
    expect(terminate).toEqual([]);
    expect(fleet).toMatchObject({
      failedStarts: 0,
      seen: { 'i-a': { firstSeen: NOW }, 'i-b': { upAt: NOW } },
    });
  });

  test('a clock that was set back lengthens nothing', () => {
    const { fleet } = decide(
      snapshot({ group: one, waiting: 30 }),
      memory({ seen: { 'i-a': { firstSeen: NOW + HOUR } }, raisedAt: NOW + HOUR, updatedAt: NOW + HOUR }),
    );
    expect(fleet).toMatchObject({ raisedAt: NOW, updatedAt: NOW, seen: { 'i-a': { firstSeen: NOW } } });
  });
});

describe('after two starts in a row that failed', () => {
  const stopped = (more: Partial<Fleet> = {}) => memory({ failedStarts: 2, blocked: gaveUp, ...more });

  test('no more are started, and it is said why', () => {
    const seen = { 'i-a': startingFor(15), 'i-b': startingFor(15) };
    const both = { instances: [instance('i-a'), instance('i-b')] };
    const { fleet, terminate, raiseTo } = decide(snapshot({ waiting: 100, group: both }), memory({ seen }));
    expect({ terminate, raiseTo }).toEqual({ terminate: ['i-a', 'i-b'], raiseTo: undefined });
    expect(fleet.blocked).toEqual({
      code: 'never_registered',
      reason: 'the last 2 that were started did not come up within 15 minutes; one more is tried every hour',
      at: NOW,
    });
    expect(decide(snapshot({ waiting: 100 }), stopped()).raiseTo).toBeUndefined();
  });

  test('one more is tried after an hour, and another hour later the next', () => {
    const blocked = { ...gaveUp, at: NOW - HOUR };
    const tried = decide(snapshot({ waiting: 100 }), stopped({ blocked }));
    expect(tried).toMatchObject({
      raiseTo: 1,
      fleet: { blocked: { code: 'never_registered' }, raisedAt: NOW },
    });
    const starting = decide(snapshot({ now: NOW + MINUTE, waiting: 100, group: one }), tried.fleet);
    expect(starting).toMatchObject({ terminate: [] });
    expect(starting.raiseTo).toBeUndefined();
    const failed = decide(
      snapshot({ waiting: 100, group: one }),
      stopped({ seen: { 'i-a': startingFor(15) }, blocked, raisedAt: NOW - 15 * MINUTE }),
    );
    expect(failed).toMatchObject({ terminate: ['i-a'], fleet: { failedStarts: 3, blocked: { at: NOW } } });
    expect(failed.raiseTo).toBeUndefined();
  });

  test('what Auto Scaling starts by itself meanwhile is ended at once', () => {
    const { terminate, fleet } = decide(snapshot({ waiting: 1, group: one }), stopped({ desired: 1 }));
    expect({ terminate, failed: fleet.failedStarts }).toEqual({ terminate: ['i-a'], failed: 2 });
  });

  test('but one that a person asks for is a try like any other', () => {
    const byHand = decide(snapshot({ waiting: 1, group: { desired: 1 } }), stopped());
    const { terminate } = decide(snapshot({ now: NOW + MINUTE, waiting: 1, group: one }), byHand.fleet);
    expect(terminate).toEqual([]);
  });

  test('a third that is on its way keeps its 15 minutes, and a host that comes up ends it', () => {
    const late = decide(snapshot({ group: one }), stopped({ seen: { 'i-a': startingFor(12) } }));
    expect(late.terminate).toEqual([]);
    const up = decide(snapshot({ waiting: 100, hosts: [host('i-a')], group: one }), late.fleet);
    expect(up.fleet).toMatchObject({ failedStarts: 0, blocked: undefined });
    expect(up.raiseTo).toBe(5);
  });

  test('a host that has been up all the time proves nothing about the new ones', () => {
    const seen = { 'i-a': working, 'i-b': startingFor(15) };
    const group = { instances: [instance('i-a'), instance('i-b')] };
    const { fleet } = decide(snapshot({ hosts: [host('i-a')], group }), memory({ seen, failedStarts: 1 }));
    expect(fleet).toMatchObject({ failedStarts: 2, blocked: { code: 'never_registered' } });
  });

  test('another release is another chance', () => {
    const { raiseTo, fleet } = decide(snapshot({ waiting: 1, release: 'r2' }), stopped());
    expect({ raiseTo, failed: fleet.failedStarts, blocked: fleet.blocked }).toEqual({
      raiseTo: 1,
      failed: 0,
      blocked: undefined,
    });
  });
});

describe('when AWS cannot start one', () => {
  const unfilled = { desired: 1, instances: [] };

  const failed = decide(
    snapshot({ waiting: 100, group: unfilled, launchFailure: quota }),
    memory({ desired: 1, raisedAt: NOW - MINUTE }),
  );
  const blocked = { code: 'quota', reason: 'the quota is 0', at: NOW } as const;
  const noCapacityAt = (at: number) => ({ code: 'no_capacity', reason: 'the quota is 0', at });
  /** Round after round, a minute each, while nothing is launched. */
  const minutesLater = (minutes: number, more: Partial<Snapshot> = {}, from = failed.fleet) =>
    decide(snapshot({ now: NOW + minutes * MINUTE, waiting: 100, ...more }), {
      ...from,
      updatedAt: NOW + (minutes - 1) * MINUTE,
    });

  test('it is said, what was asked for is taken back, and nothing is raised', () => {
    expect(failed).toMatchObject({ withdraw: true, fleet: { blocked, desired: 0 } });
    expect(failed.raiseTo).toBeUndefined();
    expect(minutesLater(0.5)).toMatchObject({ withdraw: false, fleet: { blocked } });
    expect(minutesLater(0.5).raiseTo).toBeUndefined();
  });

  test('hosts that run are kept', () => {
    const group = { desired: 3, instances: [instance('i-a')] };
    const { withdraw, fleet } = decide(
      snapshot({ waiting: 100, hosts: [host('i-a')], group, launchFailure: quota }),
      memory({ desired: 3, raisedAt: NOW - MINUTE, seen: { 'i-a': working } }),
    );
    expect({ withdraw, desired: fleet.desired }).toEqual({ withdraw: true, desired: 1 });
  });

  test.each([
    [1, 'two minutes after the last try', 0],
    [8, 'two minutes after the last try', 6],
    [40, 'ten minutes after it, once it has failed for forty', 30],
    [3 * 24 * 60, 'a quarter of an hour after it, once it has failed for days', 3 * 24 * 60 - 15],
  ])('after %d minutes one is tried %s', (minutes, _, lastTry) => {
    const from = { ...failed.fleet, raisedAt: NOW + lastTry * MINUTE - (minutes === 1 ? MINUTE : 0) };
    expect(minutesLater(minutes, {}, from)).toMatchObject({ raiseTo: 1, fleet: { blocked } });
    expect(minutesLater(minutes, {}, { ...from, raisedAt: from.raisedAt + SECOND }).raiseTo).toBeUndefined();
  });

  test('missing capacity is left to Auto Scaling, which tries zone after zone, for a quarter of an hour', () => {
    const noCapacity = { ...quota, code: 'no_capacity' } as const;
    const tried = (minutes: number) =>
      decide(
        snapshot({ waiting: 100, group: unfilled, launchFailure: noCapacity }),
        memory({ desired: 1, raisedAt: NOW - minutes * MINUTE }),
      );
    expect(tried(14)).toMatchObject({ withdraw: false, fleet: { desired: 1, blocked: noCapacityAt(NOW) } });
    const inVain = tried(15);
    expect(inVain).toMatchObject({ withdraw: true, fleet: { desired: 0, blocked: noCapacityAt(NOW) } });
    expect(minutesLater(1, {}, inVain.fleet)).toMatchObject({
      raiseTo: 1,
      fleet: { blocked: noCapacityAt(NOW) },
    });
  });

  test('it stays said while a try is under way, and ends with what is launched', () => {
    const trying = minutesLater(2);
    expect(trying.raiseTo).toBe(1);
    const under = decide(snapshot({ now: NOW + 3 * MINUTE, waiting: 100, group: unfilled }), trying.fleet);
    expect(under).toMatchObject({ withdraw: false, fleet: { blocked } });
    expect(under.raiseTo).toBeUndefined();
    const launched = decide(snapshot({ now: NOW + 4 * MINUTE, waiting: 100, group: one }), under.fleet);
    expect(launched).toMatchObject({ raiseTo: 5, fleet: { blocked: undefined } });
  });

  test('it ends when nothing waits any more, and with another release', () => {
    expect(minutesLater(1, { waiting: 0 }).fleet.blocked).toBeUndefined();
    expect(minutesLater(1, { release: 'r2' })).toMatchObject({ raiseTo: 5, fleet: { blocked: undefined } });
  });

  test('launches that are suspended are said where something waits or was asked for', () => {
    const group = { suspended: { why: 'for a reason', resume: 'a command' } };
    const reason = 'launch suspended (for a reason); when its cause is gone: a command';
    expect(decide(snapshot({ group }), memory())).toMatchObject({
      withdraw: false,
      fleet: { blocked: undefined },
    });
    const waits = decide(snapshot({ waiting: 1, group }), memory());
    expect(waits.fleet.blocked).toEqual({ code: 'launch_suspended', reason, at: NOW });
    expect(waits.raiseTo).toBeUndefined();
    expect(decide(snapshot({ group: { ...group, desired: 2 } }), memory({ desired: 2 }))).toMatchObject({
      withdraw: true,
      fleet: { blocked: { code: 'launch_suspended' }, desired: 0 },
    });
    const stopped = memory({ failedStarts: 2, blocked: { ...gaveUp, at: NOW - HOUR } });
    expect(decide(snapshot({ waiting: 1, group }), stopped)).toMatchObject({
      fleet: { blocked: { code: 'launch_suspended' } },
    });
    expect(decide(snapshot({ waiting: 1 }), waits.fleet)).toMatchObject({ raiseTo: 1 });
  });

  test('a failure from before the last raise says nothing about it', () => {
    const seen = snapshot({ waiting: 1, group: unfilled, launchFailure: quota });
    expect(decide(seen, memory({ desired: 1, raisedAt: NOW - SECOND })).fleet.blocked).toBeUndefined();
  });

  test('a raise that was refused is tried again after five minutes', () => {
    const blocked = { code: 'raise_refused', reason: 'AccessDenied', at: NOW - 4 * MINUTE } as const;
    expect(decide(snapshot({ waiting: 1 }), memory({ blocked }))).toMatchObject({ fleet: { blocked } });
    expect(decide(snapshot({ waiting: 1 }), memory({ blocked })).raiseTo).toBeUndefined();
    expect(decide(snapshot({ now: NOW + MINUTE, waiting: 1 }), memory({ blocked })).raiseTo).toBe(1);
  });

  test('a limit of 0 is said when a job waits', () => {
    expect(decide(snapshot({ waiting: 1, maxHosts: 0 }), memory())).toMatchObject({
      fleet: { blocked: { code: 'no_hosts_allowed' }, wanted: 0 },
    });
    expect(decide(snapshot({ maxHosts: 0 }), memory()).fleet.blocked).toBeUndefined();
  });
});

describe('rolling', () => {
  const three = { instances: ['i-a', 'i-b', 'i-c'].map((id) => instance(id)) };
  const seen = { 'i-a': working, 'i-b': working, 'i-c': working };
  const roll = (hosts: Snapshot['hosts'], more: Partial<Snapshot> = {}) =>
    decide(snapshot({ release: 'r2', hosts, group: three, ...more }), memory({ seen })).retire;
  const old = [
    host('i-a', { held: 2 }),
    host('i-b', { held: 1, startedAt: NOW - MINUTE }),
    host('i-c', { held: 1 }),
  ];

  test('one host of an old release at a time, the idlest and then the oldest first', () => {
    expect(roll(old)).toEqual(['i-c.run']);
  });

  test.each<[string, Snapshot['hosts'], Partial<Snapshot>]>([
    ['another drains', [host('i-a', { state: 'draining' }), ...old.slice(1)], {}],
    ['another was asked to', [host('i-a', { retire: true }), ...old.slice(1)], {}],
    ['another restarts', old.slice(1), {}],
    ['a replacement starts', old, { group: { ...three, desired: 4, min: 0, max: 10 } }],
    [
      'no host can be started',
      old,
      { launchFailure: { ...quota, at: NOW }, group: { ...three, desired: 4, min: 0, max: 10 } },
    ],
    ['all are of the release', old.map((one) => ({ ...one, release: 'r2' })), {}],
    ['they say no release', old.map((one) => ({ ...one, release: undefined })), {}],
    [
      'they are of no instance here',
      old.map((one) => ({ ...one, machineId: 'laptop' })),
      { group: { desired: 0, min: 0, max: 9, instances: [] } },
    ],
  ])('none while %s', (_, hosts, more) => {
    expect(roll(hosts, more)).toEqual([]);
  });
});

describe('rolling hosts that stay up', () => {
  /** A round in which the release r2 has been wanted for ten minutes. */
  const round = (hosts: Snapshot['hosts'], more: Parameters<typeof snapshot>[0] = {}) => {
    const ids = hosts.map(({ machineId }) => machineId);
    const seen = Object.fromEntries(
      ids.map((id) => [id, id === 'i-new' ? { ...startingFor(4), upAt: NOW - MINUTE } : working]),
    );
    return decide(
      snapshot({
        warm: 1,
        maxHosts: 2,
        release: 'r2',
        hosts,
        ...more,
        group: { instances: ids.map((id) => instance(id)), ...more.group },
      }),
      memory({ release: 'r2', releaseSince: NOW - 10 * MINUTE, seen }),
    );
  };
  const old = host('i-old', { held: 1 });
  const successor = host('i-new', { release: 'r2' });

  test('the only one goes once its successor is up, and the successor stays', () => {
    const before = round([old]);
    expect([before.raiseTo, before.retire]).toEqual([2, []]);
    const starts = round([old], { group: { desired: 2, instances: [instance('i-old')] } });
    expect([starts.raiseTo, starts.retire, starts.fleet.warm]).toEqual([undefined, [], ['i-old']]);
    const both = round([old, successor]);
    expect([both.raiseTo, both.retire]).toEqual([undefined, ['i-old.run']]);
    const drains = round([{ ...old, retire: true }, successor]);
    expect([drains.raiseTo, drains.retire, drains.fleet.warm]).toEqual([undefined, [], ['i-new']]);
    const after = round([successor]);
    expect([after.raiseTo, after.retire, after.fleet.wanted]).toEqual([undefined, [], 1]);
  });

  test('one that is more than stay up needs no successor', () => {
    expect(round([old, host('i-b')]).retire).toEqual(['i-b.run']);
  });

  test('where the limit allows no successor it goes first', () => {
    const { raiseTo, retire } = round([old], { maxHosts: 1 });
    expect([raiseTo, retire]).toEqual([undefined, ['i-old.run']]);
  });

  test('a release that does not start replaces nothing', () => {
    const { raiseTo, retire } = round([old], {
      launchFailure: { ...quota, at: NOW },
      group: { desired: 2, instances: [instance('i-old')] },
    });
    expect([raiseTo, retire]).toEqual([undefined, []]);
  });
});

describe('between two rounds', () => {
  const before = memory({ updatedAt: NOW - SECOND });
  const seen = { 'i-a': working };
  test.each<[string, Fleet, Snapshot['hosts'], boolean]>([
    ['a first job is worth one', before, [], true],
    ['and so it is where the last host has just gone', { ...before, desired: 1, seen }, [], true],
    ['or drains', { ...before, desired: 1, seen }, [host('i-a', { state: 'draining' })], true],
    ['not where one is up', { ...before, desired: 1, seen }, [host('i-a')], false],
    ['nor where one starts', { ...before, desired: 1, seen: { 'i-a': startingFor(1) } }, [], false],
    ['nor where one was asked for', { ...before, desired: 1 }, [], false],
    ['nor where none can start', { ...before, blocked: gaveUp }, [], false],
    ['a minute is over', { ...before, updatedAt: NOW - MINUTE }, [host('i-a')], true],
    ['there never was a round', UNKNOWN_FLEET, [], true],
  ])('%s', (_, fleet, hosts, worth) => {
    expect(isWorthARound(fleet, hosts, NOW)).toBe(worth);
  });
});

describe('whatever is seen', () => {
  const ids = ['i-a', 'i-b', 'i-c', 'i-d'];
  const time = fc.integer({ min: NOW - 3 * HOUR, max: NOW + HOUR });
  const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
  const snapshots = fc.record<Snapshot>({
    now: fc.constant(NOW),
    waiting: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(1_000_000)),
    held: fc.nat(20),
    maxHosts: fc.nat(6),
    warm: fc.nat(6),
    spot: fc.boolean(),
    release: fc.constantFrom('r1', 'r2'),
    launchFailure: optional(fc.constantFrom(quota, { ...quota, at: NOW - 2 * HOUR })),
    hosts: fc.array(
      fc.record({
        machineId: fc.constantFrom(...ids),
        hostId: fc.uuid(),
        state: fc.constantFrom('ready', 'draining'),
        comfyui: fc.boolean(),
        held: fc.nat(2),
        seenAt: time,
        startedAt: time,
        release: fc.constantFrom('r1', 'r2'),
        retire: optional(fc.constant(true as const)),
        jobSeconds: optional(fc.double({ min: 0.01, max: 4000, noNaN: true })),
      }),
      { maxLength: 6 },
    ),
    group: fc
      .record({
        desired: fc.nat(6),
        max: fc.nat(6),
        onDemandBase: optional(fc.nat(6)),
        suspended: optional(fc.constant({ why: 'x', resume: 'y' })),
        instances: fc.uniqueArray(
          fc.record({
            id: fc.constantFrom(...ids),
            state: fc.constantFrom('starting', 'in_service', 'ending'),
            isProtected: fc.boolean(),
          }),
          { selector: ({ id }) => id },
        ),
      })
      .map(({ suspended, ...group }) => ({
        min: 0,
        ...group,
        ...(suspended !== undefined && { suspended }),
      })),
  });
  const fleets = fc.record<Fleet>({
    version: fc.nat(9),
    updatedAt: time,
    desired: fc.nat(6),
    wanted: fc.nat(6),
    ready: fc.nat(6),
    raisedAt: time,
    seen: fc.dictionary(
      fc.constantFrom(...ids),
      fc.oneof(
        fc.record({ firstSeen: time }),
        fc.record({ firstSeen: time, upAt: time }),
        fc.record({ firstSeen: time, givenUp: fc.constant(true as const) }),
        fc.record({ firstSeen: time, upAt: time, drainingAt: time }),
      ),
    ),
    failedStarts: fc.nat(3),
    release: optional(fc.constantFrom('r1', 'r2')),
    blocked: optional(
      fc.record({
        code: fc.constantFrom('quota', 'no_capacity', 'never_registered', 'raise_refused'),
        reason: fc.constant('x'),
        at: time,
      }),
    ),
  });

  const live = ({ group }: Snapshot) => group.instances.filter(({ state }) => state !== 'ending').length;

  test('it never lowers, never goes above a max, never raises for nothing or while none can start', () => {
    fc.assert(
      fc.property(snapshots, fleets, (seen, remembered) => {
        const { raiseTo, withdraw, terminate, retire, fleet } = decide(seen, remembered);
        if (raiseTo !== undefined) {
          expect(raiseTo).toBeGreaterThan(seen.group.desired);
          expect(raiseTo).toBeLessThanOrEqual(Math.min(seen.maxHosts, seen.group.max));
          expect(seen.waiting + seen.warm).toBeGreaterThan(0);
          expect([undefined, 'never_registered', 'quota', 'no_capacity']).toContain(fleet.blocked?.code);
          if (fleet.blocked?.code === 'never_registered')
            expect(NOW - Math.min(fleet.blocked.at, NOW)).toBeGreaterThanOrEqual(HOUR);
          if (['quota', 'no_capacity'].includes(fleet.blocked?.code ?? '')) {
            expect(NOW - remembered.raisedAt).toBeGreaterThanOrEqual(2 * MINUTE);
            expect(raiseTo).toBe(Math.max(seen.group.desired, live(seen)) + 1);
          }
          expect(fleet.raisedAt).toBe(NOW);
        }
        expect(fleet.desired).toBe(withdraw ? live(seen) : (raiseTo ?? seen.group.desired));
        if (withdraw) expect(live(seen)).toBeLessThan(seen.group.desired);
        const there = seen.group.instances.filter(({ state }) => state !== 'ending').map(({ id }) => id);
        expect(Object.keys(fleet.seen).sort()).toEqual(there.sort());
        expect(there).toEqual(expect.arrayContaining(terminate));
        expect(retire.length).toBeLessThanOrEqual(1);
        expect(fleet.version).toBe(remembered.version);
      }),
      { numRuns: 2000 },
    );
  });

  test('as many stay up as are wanted warm, none that drains, and where they are too few one is raised or cannot be', () => {
    fc.assert(
      fc.property(snapshots, fleets, (seen, remembered) => {
        const { fleet, raiseTo } = decide(seen, remembered);
        const warm = fleet.warm ?? [];
        const limit = Math.min(seen.maxHosts, seen.group.max);
        expect(warm.length).toBeLessThanOrEqual(Math.min(seen.warm, limit));
        for (const id of warm) {
          expect(fleet.seen[id]).toMatchObject({ upAt: expect.any(Number) });
          expect(fleet.seen[id]).not.toHaveProperty('drainingAt');
          expect(fleet.seen[id]).not.toHaveProperty('givenUp');
        }
        expect(fleet.wanted).toBeGreaterThanOrEqual(Math.min(seen.warm, limit));
        // The hosts that stay are the same from one minute to the next.
        const group = { ...seen.group, desired: fleet.desired };
        const hosts = seen.hosts.map((one) => ({ ...one, seenAt: one.seenAt + SECOND }));
        const next = decide({ ...seen, hosts, group, now: NOW + SECOND, launchFailure: undefined }, fleet);
        if (raiseTo === undefined)
          expect(next.fleet.warm ?? []).toEqual(
            expect.arrayContaining(warm.filter((id) => next.fleet.seen[id]?.upAt === NOW + SECOND)),
          );
      }),
      { numRuns: 2000 },
    );
  });

  test('on demand are no more than are wanted, only where spot is meant, and spot is come back to with no host there', () => {
    fc.assert(
      fc.property(snapshots, fleets, (seen, remembered) => {
        const { onDemandBase, fleet } = decide(seen, remembered);
        if (onDemandBase === undefined) return;
        const { desired, max, instances, onDemandBase: before = 0 } = seen.group;
        expect(seen.spot).toBe(true);
        if (onDemandBase > before) {
          expect(onDemandBase).toBeLessThanOrEqual(Math.min(fleet.wanted, seen.maxHosts, max));
          if (before === 0) expect(fleet.blocked).toMatchObject({ code: 'no_capacity' });
        } else
          expect([onDemandBase, desired, instances.every(({ state }) => state === 'ending')]).toEqual([
            0,
            0,
            true,
          ]);
      }),
      { numRuns: 2000 },
    );
  });

  test('a host that works and does not drain is never ended', () => {
    fc.assert(
      fc.property(snapshots, fleets, (seen, remembered) => {
        const { terminate } = decide(seen, remembered);
        const works = seen.hosts.filter(
          (one) => one.state === 'ready' && one.comfyui && !one.retire && NOW - one.seenAt < 45 * SECOND,
        );
        const drains = seen.hosts
          .filter((one) => one.state === 'draining' || one.retire)
          .map((one) => one.machineId);
        for (const { machineId } of works)
          if (!drains.includes(machineId)) expect(terminate).not.toContain(machineId);
      }),
      { numRuns: 2000 },
    );
  });

  test('with the last decision in effect, the next round raises no further', () => {
    fc.assert(
      fc.property(snapshots, fleets, (seen, remembered) => {
        const first = decide(seen, remembered);
        const group = { ...seen.group, desired: first.raiseTo ?? seen.group.desired };
        const second = decide(
          { ...seen, group, now: NOW + SECOND, launchFailure: undefined },
          { ...first.fleet, blocked: first.fleet.blocked },
        );
        if (first.raiseTo !== undefined) expect(second.raiseTo).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
