// How hosts of an old release are retired, one at a time.

import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../functions/controller/instances.ts';
import { decide } from '../../functions/controller/scale.ts';
import { host, instance, memory, MINUTE, NOW, quota, snapshot, startingFor, working } from './snapshots.ts';

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
