// The Fleet table: one item, written by whoever read it last.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Fleet, UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import { createFleetStore, type FleetStore } from '../../functions/store/fleet.ts';
import { fleetTable } from '../../functions/store/tables.ts';
import { type Line, tap } from './lost-answers.ts';
import { startStore, type TestStore } from '../support/store.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
let store: TestStore;
let fleet: FleetStore;
let line: Line;
beforeAll(async () => {
  store = await startStore();
  line = tap(store.engine);
  fleet = createFleetStore(line.engine);
});
afterAll(() => store.close());
beforeEach(() => store.engine.table(fleetTable).remove({ fleetId: 'gpu-hosts' }));

const FULL: Fleet = {
  ...UNKNOWN_FLEET,
  updatedAt: NOW,
  desired: 2,
  secondsPerJob: 31.5,
  seen: { 'i-a': { firstSeen: NOW, upAt: NOW }, 'i-b': { firstSeen: NOW, givenUp: true } },
  blocked: { code: 'quota', reason: 'the quota is 0', at: NOW },
};

it('is unknown until a controller has written it, and comes back as it was written', async () => {
  expect(await fleet.read()).toEqual(UNKNOWN_FLEET);
  expect(await fleet.write(FULL)).toEqual({ ...FULL, version: 1 });
  expect(await fleet.read()).toEqual({ ...FULL, version: 1 });
  expect(await fleet.readCached()).toEqual({ ...FULL, version: 1 });
});

it('what is absent is taken off, and the item goes a month after the last round', async () => {
  await fleet.write(FULL);
  const { blocked: _, ...free } = { ...FULL, version: 1 };
  await fleet.write({ ...free, blocked: undefined });
  expect(await fleet.read()).toEqual({ ...free, version: 2 });
});

it('of two that decide on the same version one writes', async () => {
  await fleet.write(FULL);
  const read = await fleet.read();
  const answers = await Promise.all([
    fleet.write({ ...read, desired: 3, raisedAt: NOW }),
    fleet.write({ ...read, desired: 5, raisedAt: NOW + 1 }),
  ]);
  const winner = answers.find((answer) => answer !== undefined);
  expect(answers).toContain(undefined);
  expect(await fleet.read()).toEqual(winner);
});

it('the first write of all is made once too', async () => {
  const answers = await Promise.all([fleet.write(FULL), fleet.write({ ...FULL, desired: 9 })]);
  expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
});

it('a write whose answer was lost is known as its own', async () => {
  const read = (await fleet.write(FULL))!;
  line.lose(1);
  expect(await fleet.write({ ...read, desired: 4 })).toMatchObject({ desired: 4, version: 2 });
  expect(await fleet.read()).toMatchObject({ desired: 4, version: 2 });
});
