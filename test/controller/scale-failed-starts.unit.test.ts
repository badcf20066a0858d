// What does not start or come up: when it is ended, what the fleet says of it, and when it is tried again.

import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../functions/controller/instances.ts';
import { decide } from '../../functions/controller/scale.ts';
import type { Fleet } from '../../functions/core/fleet.ts';
import {
  gaveUp,
  HOUR,
  host,
  instance,
  memory,
  MINUTE,
  NOW,
  one,
  quota,
  SECOND,
  snapshot,
  startingFor,
  working,
} from './snapshots.ts';

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
