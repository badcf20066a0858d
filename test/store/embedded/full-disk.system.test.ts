// A disk that is full under the open tables, without a reserve: the error says so, nothing that was acknowledged is lost, and
// the process lives (vitest fails for a rejection that nobody handles).

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { jobsTable } from '../../../functions/store/tables.ts';
import { checkFile } from './check.ts';

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), 'disk-'));
/** Where this user may mount. */
const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]).then(
  () => true,
  () => false,
);
afterAll(async () => {
  if (mounted) await run('umount', ['-l', disk]);
  await rm(disk, { recursive: true, force: true });
});

const job = (n: number) => ({
  jobId: `job-${n}`,
  part: 'state',
  work: 'full',
  workOrder: String(n).padStart(6, '0'),
  graph: 'x'.repeat(3000),
});
const isThere = { index: 'byWork', partition: 'full' };

test.skipIf(!mounted)('a full disk is StorageFull, and what was acknowledged stays', async () => {
  const ballast = join(disk, 'ballast');
  await writeFile(ballast, Buffer.alloc(2 ** 20));
  const engine = openEmbedded({ directory: disk });
  const jobs = engine.table(jobsTable);
  let written = 0;
  let failure: unknown;
  try {
    for (; written < 5000; written += 1) await jobs.put(job(written));
  } catch (error) {
    failure = error;
  }
  expect(failure).toMatchObject({ name: 'StorageFull', cause: { code: expect.any(Number) } });
  expect(written).toBeGreaterThan(100);
  expect(await jobs.count(isThere)).toBe(written);

  await rm(ballast);
  expect(await jobs.put(job(written))).toBe(true);
  await engine.close();
  const again = openEmbedded({ directory: disk });
  expect(await again.table(jobsTable).count(isThere)).toBe(written + 1);
  await again.close();
  expect(await checkFile(disk)).toMatchObject({ jobs: written + 1 });
});
