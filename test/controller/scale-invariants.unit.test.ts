// What holds of every decision, whatever is seen and remembered.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../functions/controller/instances.ts';
import { decide } from '../../functions/controller/scale.ts';
import type { Fleet } from '../../functions/core/fleet.ts';
import { HOUR, MINUTE, NOW, quota, SECOND } from './snapshots.ts';

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
