// When hosts are started: for waiting jobs, to stay warm, and between two rounds.

import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../functions/controller/instances.ts';
import { decide, isWorthARound } from '../../functions/controller/scale.ts';
import { type Fleet, isKeptWarm, UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
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
      'an instance with two GPUs does twice as many',
      snapshot({
        waiting: 40,
        hosts: ['i-a-1', 'i-a-2'].map((id) => host(id, { instanceId: 'i-a' })),
        group: one,
      }),
      memory({ seen: { 'i-a': working } }),
      2,
    ],
    ['and is remembered to, while it is gone', snapshot({ waiting: 40 }), memory({ hostsPerInstance: 2 }), 2],
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
