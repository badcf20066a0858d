// A process that is alone on its file and is killed at any moment: whoever opens the file next has all that was
// acknowledged, and nothing in part.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openEmbedded } from '../../../functions/store/embedded/engine.ts';
import { jobsTable } from '../../../functions/store/tables.ts';
import { checkFile } from './check.ts';
import { startOther } from './processes.ts';
import { itemAfter } from './writes.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tables-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('all that was acknowledged is there, of this round and of those before', async () => {
  const acknowledged = new Map<string, number>();
  for (let round = 0; round < 12; round += 1) {
    const other = await startOther(directory);
    const jobIds = Array.from({ length: 16 }, (_, n) => `load-${round}-${n}`);
    for (const jobId of jobIds) acknowledged.set(jobId, 0);
    other.begin({ load: jobIds });
    await other.said(Math.ceil(Math.random() * 600));
    for (const line of await other.kill()) {
      const [jobId, n] = line.split(' ') as [string, string];
      acknowledged.set(jobId, Number(n));
    }
    await checkFile(directory);
    const engine = openEmbedded({ directory });
    const table = engine.table(jobsTable);
    for (const [jobId, n] of acknowledged)
      expect([itemAfter(jobId, n), itemAfter(jobId, n + 1)]).toContainEqual(
        await table.read({ jobId, part: 'state' }),
      );
    // It takes writes at once.
    expect(await table.update({ jobId: 'rounds', part: 'state' }, { add: { n: 1 } })).toBe(true);
    expect(await table.read({ jobId: 'rounds', part: 'state' })).toMatchObject({ n: round + 1 });
    await engine.close();
  }
  expect(Math.max(...acknowledged.values())).toBeGreaterThan(5);
});
