// Marks and totals: what is done twice counts once, whoever dies in between and whoever comes too.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Reservation, Totals } from '../../functions/core/quota.ts';
import { MAX_RESERVATIONS } from '../../functions/core/quota.ts';
import { usageTable } from '../../functions/store/tables.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const DAY = '2026-11-23';
const AT = Date.UTC(2026, 10, 23, 12);
const markOf = (images = 1): Reservation => ({ jobId: randomUUID(), images, at: AT });
const made = (images: number): Totals => ({ jobs: 1, images, gpuMs: 10, costMicroUsd: 5, costed: 1 });
const much = { uncommitted: 100 };

test('a job is marked once, and found again with its id, its images and its moment', async () => {
  const { usage } = store;
  const reservation = markOf(4);
  expect(await usage.reserve('once', DAY, reservation, much)).toMatchObject({ taken: 4, uncommitted: 1 });
  expect(await usage.reserve('once', DAY, reservation, much)).toBeUndefined();
  expect(await usage.read('once', DAY)).toMatchObject({
    taken: 4,
    uncommitted: 1,
    reservations: [reservation],
  });
});

test('a day’s images and jobs are never exceeded, however many come at once', async () => {
  const { usage } = store;
  const marked = await Promise.all(
    Array.from({ length: 40 }, () => usage.reserve('full', DAY, markOf(3), { taken: 50, uncommitted: 100 })),
  );
  expect(marked.filter(Boolean)).toHaveLength(16);
  expect(await usage.read('full', DAY)).toMatchObject({ taken: 48, uncommitted: 16 });
  expect(await usage.reserve('full', DAY, markOf(2), { taken: 50, uncommitted: 16 })).toBeUndefined();
  expect(await usage.reserve('full', DAY, markOf(2), { taken: 50, uncommitted: 17 })).toBeDefined();
  expect(await usage.reserve('empty', DAY, markOf(51), { taken: 50, uncommitted: 1 })).toBeUndefined();
});

test('a fold that comes again, or to two at once, counts once', async () => {
  const { usage } = store;
  const reservations = [markOf(4), markOf(4), markOf(1)];
  for (const reservation of reservations) await usage.reserve('commit', DAY, reservation, much);
  const two = reservations.slice(0, 2).map((reservation) => ({ reservation, totals: made(3) }));
  const day = { owner: 'commit', day: DAY };
  const done = await Promise.all([usage.commit(day, two, false), usage.commit(day, two, false)]);
  expect(done.filter(Boolean)).toHaveLength(1);
  expect(await usage.commit(day, two, false)).toBe(false);
  expect(await usage.read('commit', DAY)).toMatchObject({
    taken: 7,
    uncommitted: 1,
    jobs: 2,
    images: 6,
    costMicroUsd: 10,
    reservations: [reservations[2]],
  });
});

test('a day is listed as long as it has a mark; one that comes with the last fold keeps it listed', async () => {
  const { usage } = store;
  const listed = async () => (await usage.listOpen()).some(({ owner }) => owner === 'open');
  const [first, second] = [markOf(), markOf()];
  const day = { owner: 'open', day: DAY };
  await usage.reserve('open', DAY, first, much);
  expect(await listed()).toBe(true);
  // Marked after the day was read.
  await usage.reserve('open', DAY, second, much);
  expect(await usage.commit(day, [{ reservation: first, totals: made(1) }], true)).toBe(false);
  expect(await usage.commit(day, [{ reservation: first, totals: made(1) }], false)).toBe(true);
  expect(await listed()).toBe(true);
  expect(await usage.commit(day, [{ reservation: second, totals: made(1) }], true)).toBe(true);
  expect(await listed()).toBe(false);
  await usage.reserve('open', DAY, markOf(), much);
  expect(await listed()).toBe(true);
});

test('a month is read in one go; days without anything have zeros', async () => {
  const { usage } = store;
  await usage.reserve('month', DAY, markOf(2), much);
  const days = await usage.readDays('month', ['2026-11-22', DAY]);
  expect(days).toMatchObject([
    { day: '2026-11-22', taken: 0, jobs: 0 },
    { day: DAY, taken: 2 },
  ]);
});

test('an item never outgrows DynamoDB: past so many marks there is no room, whatever the limit', async () => {
  const { usage } = store;
  const attributes = Object.fromEntries(
    Array.from({ length: MAX_RESERVATIONS }, () => [
      `m${Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')}`,
      [8, AT],
    ]),
  );
  const item = {
    owner: 'huge',
    day: DAY,
    ...attributes,
    taken: 8 * MAX_RESERVATIONS,
    unsettled: MAX_RESERVATIONS,
  };
  const bytes = Object.keys(attributes).length * (23 + 3 + 2 + 8);
  expect(bytes).toBeLessThan(350_000);
  await store.engine.table(usageTable).put(item);
  expect((await usage.read('huge', DAY)).reservations).toHaveLength(MAX_RESERVATIONS);
  expect(await usage.reserve('huge', DAY, markOf(), { uncommitted: Infinity })).toBeUndefined();
});
