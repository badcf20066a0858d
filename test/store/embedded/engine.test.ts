// What the embedded engine has besides the contract (../table.test.ts): expiry, and what it refuses.

import { open } from 'lmdb';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { createDeliveries } from '../../../functions/store/deliveries.ts';
import { deliveriesTable, jobsTable, keysTable } from '../../../functions/store/tables.ts';
import { checkFile } from './check.ts';

let directory: string;
let engine: ReturnType<typeof openEmbedded>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tables-'));
  engine = openEmbedded({ directory });
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

const idsIn = async (partition: string, range = {}) =>
  (await engine.table(jobsTable).page({ index: 'byWork', partition, ...range }, 100)).rows.map(
    ({ jobId }) => jobId,
  );

test('what has expired goes with its rows; a later expiry moves the former', async () => {
  const jobs = engine.table(jobsTable);
  const put = (jobId: string, expiresAt: number) =>
    jobs.put({ jobId, part: 'state', work: 'old', workOrder: jobId, expiresAt });
  await put('early', 100);
  await put('late', 100);
  await put('late', 300);
  expect(await engine.removeExpired(100_000)).toBe(0);
  expect(await engine.removeExpired(200_000)).toBe(1);
  expect(await idsIn('old')).toEqual(['late']);
});

test.each([
  ['empty', ''],
  ['too long', 'x'.repeat(3000)],
  // lmdb would take them, and lose the order of the rows or the end of a part.
  ['with a control character', 'a\u0000b'],
  ['with one in a long text', `${'a'.repeat(70)}\u0001`],
  ['with half a character', 'a\ud83e'],
])('a key that is %s writes nothing, in the table or an index', async (_, text) => {
  const jobs = engine.table(jobsTable);
  const key = { jobId: 'no-key', part: 'state' };
  await expect(jobs.put({ ...key, jobId: text })).rejects.toThrow(TypeError);
  await expect(jobs.put({ ...key, work: 'no-key', workOrder: text })).rejects.toThrow(TypeError);
  await expect(jobs.update(key, { set: { work: text, workOrder: 'a', expiresAt: 5 } })).rejects.toThrow(
    TypeError,
  );
  expect(await jobs.read(key)).toBeUndefined();
  expect(await idsIn('no-key')).toEqual([]);
  await checkFile(directory);
});

test.each([
  ['a function', () => 1],
  ['a date', new Date(0)],
  ['a map', new Map()],
  ['a number of 39 digits', 10n ** 38n],
  ['no number', NaN],
])('%s is no value: nothing is written', async (_, value) => {
  const jobs = engine.table(jobsTable);
  const key = { jobId: 'no-value', part: 'state' };
  await expect(jobs.put({ ...key, work: 'no-value', workOrder: 'a', n: [value] })).rejects.toThrow(TypeError);
  await expect(jobs.update(key, { set: { work: 'no-value', workOrder: 'a', n: value } })).rejects.toThrow(
    TypeError,
  );
  expect(await jobs.read(key)).toBeUndefined();
  expect(await idsIn('no-value')).toEqual([]);
});

test('a value that cannot be encoded writes nothing, in the table or an index', async () => {
  const jobs = engine.table(jobsTable);
  const key = { jobId: 'too-deep', part: 'state' };
  for (let depth = 500; depth <= 4000; depth += 500) {
    const graph: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    const [{ status }] = await Promise.allSettled([
      jobs.put({ ...key, work: 'too-deep', workOrder: `${depth}`, graph }),
    ]);
    if (status === 'rejected')
      expect(await idsIn('too-deep', { from: `${depth}`, before: `${depth}~` })).toEqual([]);
  }
  await checkFile(directory);
});

test('a write that is refused with an error takes no other of its moment with it, and leaves nothing', async () => {
  const jobs = engine.table(jobsTable);
  const write = (n: number) => {
    const key = { jobId: `together-${n}`, part: 'state' };
    // As many as one flush takes.
    if (n % 3 === 0)
      return jobs.update(key, {
        set: { work: 'together', workOrder: 'a'.repeat(n === 0 ? 3000 : 1), n: NaN },
      });
    return jobs.put({ ...key, work: 'together', workOrder: String(n) });
  };
  const answers = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => write(n)));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
  expect(await jobs.count({ index: 'byWork', partition: 'together' })).toBe(40);
  await checkFile(directory);
});

test('what has expired goes in every table, however many there are, and not before its second has passed', async () => {
  const jobs = engine.table(jobsTable);
  const keys = engine.table(keysTable);
  await engine.removeExpired(1_000_000);
  await jobs.putMissing(
    Array.from({ length: 450 }, (_, n) => ({
      jobId: `many-${n}`,
      part: 'state',
      work: 'expiring',
      workOrder: `${n}`,
      expiresAt: 5000,
    })),
  );
  await keys.put({ keyId: 'expiring', expiresAt: 5000 });
  expect(await engine.removeExpired(5_000_999)).toBe(0);
  expect(await engine.removeExpired(5_001_000)).toBe(451);
  expect(await keys.read({ keyId: 'expiring' })).toBeUndefined();
  expect(await jobs.count({ index: 'byWork', partition: 'expiring' })).toBe(0);
  await checkFile(directory);
});

test('closing waits for what was begun; what comes later is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tables-'));
  const closing = openEmbedded({ directory: folder });
  const jobs = closing.table(jobsTable);
  const begun = Array.from({ length: 20 }, (_, n) => jobs.put({ jobId: `closing-${n}`, part: 'state' }));
  const closed = closing.close();
  await expect(jobs.put({ jobId: 'late', part: 'state' })).rejects.toMatchObject({ code: 'unavailable' });
  await closed;
  for (const read of [
    jobs.read({ jobId: 'late', part: 'state' }),
    jobs.readAll(true),
    jobs.count({ index: 'byWork', partition: 'x' }),
  ])
    await expect(read).rejects.toMatchObject({ code: 'unavailable' });
  expect(await Promise.all(begun)).toEqual(begun.map(() => true));
  expect(await checkFile(folder)).toMatchObject({ jobs: 20 });
  await rm(folder, { recursive: true, force: true });
});

test('a file of the release before gets the index of all jobs, once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tables-'));
  const owned = (n: number) => ({
    jobId: `old-${n}`,
    part: 'state',
    owner: 'ann',
    ownerOrder: `${n}#old-${n}`,
  });
  const before = openEmbedded({ directory: folder });
  for (const n of [1, 2, 3]) await before.table(jobsTable).put(owned(n));
  await before.close();
  const root = open({ path: join(folder, 'tables.mdb'), noSubdir: true, overlappingSync: false, maxDbs: 40 });
  await root.openDB('jobs.byOwner', { encoding: 'binary' }).clearAsync();
  await root.put('layout', 1);
  await root.close();
  for (const expected of [3, 4]) {
    const after = openEmbedded({ directory: folder });
    expect(await after.table(jobsTable).count({ index: 'byOwner', partition: 'ann' })).toBe(expected);
    await after.table(jobsTable).put(owned(4));
    await after.close();
  }
  await rm(folder, { recursive: true, force: true });
});

test('a file of the layout before lists the webhooks that lie in it, of all owners', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tables-'));
  const old = (n: number) => ({
    deliveryId: `old-${n}`,
    owner: `owner-${n}`,
    type: n % 2 ? 'job.completed' : 'job.failed',
    ownerOrder: `${1_700_000_000_000 + n}#${n}`,
  });
  const before = openEmbedded({ directory: folder });
  for (const n of [1, 2, 3]) await before.table(deliveriesTable).put(old(n));
  await before.close();
  const root = open({ path: join(folder, 'tables.mdb'), noSubdir: true, overlappingSync: false, maxDbs: 40 });
  await root.openDB('deliveries.byType', { encoding: 'binary' }).clearAsync();
  await root.put('layout', 2);
  await root.close();
  for (const expected of [
    ['old-3', 'old-2', 'old-1'],
    ['old-4', 'old-3', 'old-2', 'old-1'],
  ]) {
    const after = openEmbedded({ directory: folder });
    const { items } = await createDeliveries(after).rows(undefined, 10);
    expect(items.map(({ deliveryId }) => deliveryId)).toEqual(expected);
    await after.table(deliveriesTable).put(old(4));
    await after.close();
  }
  await rm(folder, { recursive: true, force: true });
});

test('the file of a later release is not opened', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tables-'));
  await openEmbedded({ directory: folder }).close();
  const root = open({ path: join(folder, 'tables.mdb'), noSubdir: true, overlappingSync: false });
  await root.put('layout', 99);
  await root.close();
  expect(() => openEmbedded({ directory: folder })).toThrow('it belongs to a later release');
  await rm(folder, { recursive: true, force: true });
});

test('others have their turn between two pages, however many there are', async () => {
  const jobs = engine.table(jobsTable);
  await Promise.all(
    Array.from({ length: 2500 }, (_, n) =>
      jobs.put({ jobId: `turn-${n}`, part: 'state', work: 'turns', workOrder: `${n}` }),
    ),
  );
  let turns = 0;
  const others = setInterval(() => (turns += 1), 1);
  const pages: number[] = [];
  for await (const page of jobs.pages({ index: 'byWork', partition: 'turns' }, 20)) pages.push(page.length);
  clearInterval(others);
  expect(pages).toEqual(Array.from({ length: 125 }, () => 20));
  expect(turns).toBeGreaterThan(0);
});
