// The capacity before the waiting jobs, and for about how long they wait.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fleet, UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import { etaSeconds, type Estimate, estimateOf } from '../../functions/core/estimate.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const estimate = (more: Partial<Estimate> = {}): Estimate => ({
  ready: 0,
  busyOtherwise: 0,
  startingIn: [],
  secondsPerJob: 30,
  held: 0,
  ...more,
});
const blocked = { reason: 'the quota is 0' };

describe('eta', () => {
  test.each<[string, number | null, Partial<Estimate>, number | null]>([
    ['the first, with a host that is free', 1, { ready: 1 }, 30],
    ['the first behind one that runs', 1, { ready: 1, held: 1 }, 60],
    ['the fifth of two hosts', 5, { ready: 2 }, 90],
    ['the first, while a host starts', 1, { startingIn: [200] }, 230],
    ['the third, while two start', 3, { startingIn: [200, 215] }, 260],
    ['a host that starts helps those far behind', 20, { ready: 1, startingIn: [120] }, 360],
    ['and is of no use to those in front', 2, { ready: 1, startingIn: [120] }, 60],
    ['part of a second', 1, { ready: 1, secondsPerJob: 0.4 }, 1],
    ['too far back to say', null, { ready: 1 }, null],
    ['no host is up or starting', 1, {}, null],
    ['none can be started', 1, { startingIn: [100], blocked }, null],
    ['none more can be started', 2, { ready: 1, startingIn: [1], blocked }, 60],
  ])('%s', (_, position, more, seconds) => {
    expect(etaSeconds(position, estimate(more))).toBe(seconds);
  });

  test('it grows along the queue and shrinks with every host', () => {
    fc.assert(
      fc.property(
        fc.record({
          ready: fc.nat(4),
          held: fc.nat(8),
          startingIn: fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 4 }),
          secondsPerJob: fc.double({ min: 0.01, max: 3600, noNaN: true }),
        }),
        fc.integer({ min: 1, max: 100 }),
        (some, position) => {
          const eta = (position: number, more: Partial<Estimate> = {}) =>
            etaSeconds(position, estimate({ ...some, ...more }));
          fc.pre(some.ready + some.startingIn.length > 0);
          expect(eta(position + 1)!).toBeGreaterThanOrEqual(eta(position)!);
          expect(eta(position, { ready: some.ready + 1 })!).toBeLessThanOrEqual(eta(position)!);
        },
      ),
    );
  });
});

describe('the outlook', () => {
  const host = { state: 'ready', comfyui: true, machineId: 'i-a' } as const;
  const fleet = (more: Partial<Fleet>): Fleet => ({ ...UNKNOWN_FLEET, updatedAt: NOW, ...more });

  test('a fleet without scaling: hosts are there, or one is awaited', () => {
    expect(estimateOf([host], UNKNOWN_FLEET, 1, NOW)).toEqual(
      estimate({ ready: 1, held: 1, secondsPerJob: 45, unrunnable: new Set() }),
    );
    expect(estimateOf([], UNKNOWN_FLEET, 0, NOW)).toMatchObject({ ready: 0, startingIn: [300] });
    expect(estimateOf([{ ...host, comfyui: false }], UNKNOWN_FLEET, 0, NOW)).toMatchObject({
      busyOtherwise: 1,
      startingIn: [],
    });
  });

  test('a start counts down from what starts took, and ends when its host is there', () => {
    const seen = {
      'i-a': { firstSeen: NOW - 100_000 },
      'i-b': { firstSeen: NOW, upAt: NOW },
      'i-c': { firstSeen: NOW, givenUp: true as const },
    };
    const some = fleet({ desired: 4, seen, secondsPerStart: 240 });
    expect(estimateOf([], some, 0, NOW).startingIn).toEqual([140, 240]);
    expect(estimateOf([host], some, 0, NOW).startingIn).toEqual([240]);
    expect(estimateOf([], some, 0, NOW + 200_000).startingIn).toEqual([0, 240]);
  });

  test('a host that fetches models or warms up is still starting', () => {
    const starts = { ...host, comfyui: false, trouble: 'comfyui_starting: its models are still coming' };
    const seen = { 'i-a': { firstSeen: NOW - 100_000 } };
    const launched = estimateOf([starts], fleet({ desired: 1, seen, secondsPerStart: 240 }), 0, NOW);
    expect(launched).toMatchObject({ ready: 0, busyOtherwise: 0, startingIn: [140] });
    const own = estimateOf([starts], UNKNOWN_FLEET, 0, NOW);
    expect(own).toMatchObject({ ready: 0, busyOtherwise: 0, startingIn: [0] });
  });

  test('what hosts leave alone is known, also when they are gone', () => {
    const known = estimateOf([{ ...host, unrunnable: ['a'] }], fleet({ unrunnable: { b: NOW } }), 0, NOW);
    expect(known.unrunnable).toEqual(new Set(['a', 'b']));
  });

  test('where none can be started none is awaited', () => {
    const none = fleet({ blocked: { code: 'quota', reason: 'x', at: NOW } });
    expect(estimateOf([], none, 0, NOW)).toMatchObject({ startingIn: [], blocked: { reason: 'x' } });
  });
});
