// A file that lmdb could not bear is refused before lmdb sees it.

import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { damageOf } from '../../../functions/store/embedded/file-check.ts';
import { jobsTable } from '../../../functions/store/tables.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tables-'));
  path = join(directory, 'tables.mdb');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function used(): Promise<number> {
  const engine = openEmbedded({ directory });
  const jobs = engine.table(jobsTable);
  await Promise.all(
    Array.from({ length: 500 }, (_, n) => jobs.put({ jobId: `j${n}`, part: 'state', body: 'x'.repeat(500) })),
  );
  await engine.close();
  return (await stat(path)).size;
}

test('none, an empty one and one that was used are well', async () => {
  expect(damageOf(path)).toBeUndefined();
  await writeFile(path, '');
  expect(damageOf(path)).toBeUndefined();
  await used();
  expect(damageOf(path)).toBeUndefined();
});

test('one that was cut short is refused, with how much is missing', async () => {
  const size = await used();
  await truncate(path, size / 2);
  expect(damageOf(path)).toBe(`it was cut short: it has ${size / 2} bytes of ${size}`);
  expect(() => openEmbedded({ directory })).toThrow(/tables\.mdb cannot be opened: it was cut short/);
});

/** The last page in use, as a bound to cut at: cutting there is damage, behind it is none. */
async function shortest(size: number): Promise<number> {
  const whole = await readFile(path);
  let [low, high] = [2, size / PAGE];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    await writeFile(path, whole.subarray(0, middle * PAGE));
    if (damageOf(path) === undefined) high = middle;
    else low = middle + 1;
  }
  await writeFile(path, whole.subarray(0, low * PAGE));
  return low * PAGE;
}
const PAGE = 4096;

test('a large transaction leaves pages at the end that it gave back and never wrote', async () => {
  const engine = openEmbedded({ directory });
  const jobs = engine.table(jobsTable);
  const items = (from: number) =>
    Array.from({ length: 2000 }, (_, n) => ({
      jobId: `j${(from + n) % 7}-${from + n}`,
      part: 'state',
      body: 'x'.repeat(n % 50 === 0 ? 9000 : 600),
      owner: `o${n % 9}`,
      ownerOrder: String(n),
    }));
  for (let from = 0; from < 20_000; from += 2000) await jobs.putMissing(items(from));
  await engine.close();
  const { size } = await stat(path);
  expect(damageOf(path)).toBeUndefined();

  // However many they are: with none of them the file is whole, and with a page less it is not.
  const least = await shortest(size);
  const again = openEmbedded({ directory });
  expect((await again.table(jobsTable).readAll(true)).length).toBe(20_000);
  await again.table(jobsTable).put({ jobId: 'new', part: 'state', body: 'x'.repeat(20_000) });
  await again.close();
  expect(damageOf(path)).toBeUndefined();
  expect(least).toBeLessThanOrEqual(size);
});

test('pages that were given out and never written are not missed', async () => {
  const size = await used();
  const file = await readFile(path);
  // In both facts of the file, at 24 + 120: the last page.
  for (const at of [144, PAGE + 144]) file.writeBigUInt64LE(file.readBigUInt64LE(at) + 10n, at);
  await writeFile(path, file);
  expect(file.length).toBe(size);
  expect(damageOf(path)).toBeUndefined();
  const engine = openEmbedded({ directory });
  const jobs = engine.table(jobsTable);
  expect((await jobs.readAll(true)).length).toBe(500);
  await jobs.put({ jobId: 'new', part: 'state', body: 'x'.repeat(50_000) });
  await engine.close();
  expect(damageOf(path)).toBeUndefined();
});

test('of every page in use, one that is missing is noticed', async () => {
  const size = await used();
  const least = await shortest(size);
  await truncate(path, least - PAGE);
  expect(damageOf(path)).toMatch(/^it was cut short/);
  expect(() => openEmbedded({ directory })).toThrow(/cut short/);
});

test('what is something else is refused', async () => {
  await writeFile(path, 'no table');
  expect(() => openEmbedded({ directory })).toThrow('it has 8 bytes');
  await writeFile(path, Buffer.alloc(8192, 'x'));
  expect(() => openEmbedded({ directory })).toThrow('it is no file of tables');
});
