// The engine as an engine: conditions, rows and expiries of one item move together, and what was answered is on the disk.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { absent, where } from '../../../functions/store/engine.ts';
import { jobsTable } from '../../../functions/store/tables.ts';

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

test('an item moves from one key of an index to another, and out of it, with its own write', async () => {
  const jobs = engine.table(jobsTable);
  const key = { jobId: 'a', part: 'state' };
  expect(await jobs.put({ ...key, work: 'waiting', workOrder: '1' }, [absent('jobId')])).toBe(true);
  expect(await jobs.put({ ...key, work: 'waiting', workOrder: '1' }, [absent('jobId')])).toBe(false);
  expect(await idsIn('waiting')).toEqual(['a']);
  expect(await jobs.update(key, { when: [where('work', '=', 'waiting')], set: { work: 'held' } })).toBe(true);
  expect([await idsIn('waiting'), await idsIn('held')]).toEqual([[], ['a']]);
  expect(await jobs.update(key, { when: [where('work', '=', 'waiting')], remove: ['work'] })).toBe(false);
  expect(await jobs.update(key, { remove: ['work'] })).toBe(true);
  expect(await idsIn('held')).toEqual([]);
  expect(await jobs.read(key)).toEqual({ ...key, v: 1, workOrder: '1' });
});

test('ranges end where they say, in both directions and over pages', async () => {
  const jobs = engine.table(jobsTable);
  for (const order of ['1', '2', '3', '4', '5'])
    await jobs.put({ jobId: `r${order}`, part: 'state', work: 'many', workOrder: order });
  expect(await idsIn('many')).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
  expect(await idsIn('many', { after: '2' })).toEqual(['r3', 'r4', 'r5']);
  expect(await idsIn('many', { from: '2', before: '4' })).toEqual(['r2', 'r3']);
  expect(await idsIn('many', { before: '4', backwards: true })).toEqual(['r3', 'r2', 'r1']);
  for (const backwards of [false, true]) {
    const pages: unknown[] = [];
    for await (const rows of jobs.pages({ index: 'byWork', partition: 'many', backwards }, 2))
      pages.push(rows.map(({ jobId }) => jobId));
    const all = [['r1', 'r2'], ['r3', 'r4'], ['r5']];
    expect(pages).toEqual(backwards ? [['r5', 'r4'], ['r3', 'r2'], ['r1']] : all);
  }
  expect(await jobs.count({ index: 'byWork', partition: 'many' })).toBe(5);
  expect(await jobs.count({ index: 'byWork', partition: 'man' })).toBe(0);
});

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

test('a key that is no key writes nothing, in the table or an index', async () => {
  const jobs = engine.table(jobsTable);
  await expect(jobs.put({ jobId: '', part: 'state' })).rejects.toThrow('Not a key');
  const long = { jobId: 'long', part: 'state', work: 'long', workOrder: 'x'.repeat(3000) };
  await expect(jobs.put(long)).rejects.toThrow('too long');
  expect(await jobs.read({ jobId: 'long', part: 'state' })).toBeUndefined();
  expect(await idsIn('long')).toEqual([]);
});

test('of many who write on one condition, one is accepted', async () => {
  const jobs = engine.table(jobsTable);
  const key = { jobId: 'contended', part: 'state' };
  await jobs.put({ ...key, n: 0 });
  const once = () => jobs.update(key, { when: [where('n', '=', 0)], add: { n: 1 } });
  const taken = await Promise.all(Array.from({ length: 50 }, once));
  expect(taken.filter(Boolean)).toHaveLength(1);
  const more = () => jobs.update(key, { add: { n: 1 } });
  await Promise.all(Array.from({ length: 50 }, more));
  expect(await jobs.read(key)).toMatchObject({ n: 51 });
});

test('bytes, numbers and nested fields come back as they were; fields without a value do not', async () => {
  const jobs = engine.table(jobsTable);
  const key = { jobId: 'shapes', part: 'request' };
  const item = {
    bytes: new Uint8Array([1, 2, 3]),
    at: 1_764_412_345_678,
    f: 0.1,
    nested: { a: [1, { b: null }] },
  };
  await jobs.put({ ...key, ...item, gone: undefined, inner: { gone: undefined } });
  const found = (await jobs.read<typeof item>(key))!;
  expect({ ...found, bytes: [...found.bytes] }).toEqual({
    ...key,
    v: 1,
    ...item,
    bytes: [1, 2, 3],
    inner: {},
  });
  await jobs.put({ ...key, bytes: new Uint8Array([9]) });
  expect([...found.bytes]).toEqual([1, 2, 3]);
});
