// A file that lmdb could not bear is refused before lmdb sees it.

import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
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

test('what is something else is refused', async () => {
  await writeFile(path, 'no table');
  expect(() => openEmbedded({ directory })).toThrow('it has 8 bytes');
  await writeFile(path, Buffer.alloc(8192, 'x'));
  expect(() => openEmbedded({ directory })).toThrow('it is no file of tables');
});
