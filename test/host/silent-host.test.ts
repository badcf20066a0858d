// A host whose heartbeats do not get through takes nothing: its jobs would be taken from it as from the dead, each time
// at the cost of a fault. Seed 126 of chaos: one was lost three times within two seconds.

import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Host } from '../../functions/core/host.ts';
import { QUICK } from '../support/quick.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
let lines: string[];
beforeEach(async () => {
  lines = [];
  rig = await startRig({ workflows: 'test/workflows', timings: QUICK, onLog: (line) => lines.push(line) });
});
afterEach(() => rig.close());

test('while the table may think that it is dead, it claims nothing; then it goes on', async () => {
  const { hosts } = rig.store;
  let silent = false;
  let passed = 0;
  const { running } = await rig.addHost({
    now: () => rig.store.now() + passed,
    hosts: {
      ...hosts,
      put: (host: Host, signal?: AbortSignal) =>
        silent ? Promise.reject(new Error('throttled')) : hosts.put(host, signal),
    },
  });
  await rig.until(await rig.generate({ workflow: 'slow', ms: 0 }), ['completed']);

  silent = true;
  passed = 30_000;
  const jobId = await rig.generate({ workflow: 'slow', ms: 0 });
  expect(running.offer(jobId)).toBe('no-slot');
  // Two looks of its own.
  await new Promise((resolve) => setTimeout(resolve, 2.2 * QUICK.hostPollsEvery));
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ status: 'queued', attempt: 0 });

  // Each that failed is in the log, with the host that it is of.
  await expect
    .poll(() => lines.filter((line) => line.includes('"host.heartbeat_failed"')), { timeout: 6000 })
    .toContainEqual(expect.stringMatching(/"hostId":"[^"]+","error":"throttled"/));

  silent = false;
  await rig.until(jobId, ['completed']);
}, 30_000);
