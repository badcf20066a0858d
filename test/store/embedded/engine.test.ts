// What the embedded engine has besides the contract (../table.test.ts): expiry, and what it refuses.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { jobsTable } from '../../../functions/store/tables.ts';
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
  ['a bigint', 2n ** 70n],
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
