// A bucket that takes nothing for longer than a job's deadline: the job has made its images, and waits until they can
// be stored. Neither the host nor the controller calls that "no progress".

import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
let refusals: number;
let open: boolean;
beforeEach(async () => {
  // `slow` may be without progress for two seconds.
  rig = await startRig({ workflows: 'test/workflows' });
  refusals = 0;
  open = false;
  await rig.addHost({
    images: {
      ...rig.images,
      async put(...args) {
        if (open) return rig.images.put(...args);
        refusals += 1;
        throw new Error('503 SlowDown');
      },
    },
  });
});
afterEach(() => rig.close());

test('costs a job neither an attempt nor its truth, however long', async () => {
  const jobId = await rig.generate({ workflow: 'slow', ms: 200 });
  const made = await rig.until(jobId, ['processing']);
  expect(made).toMatchObject({ attempts: 1 });
  await expect.poll(() => refusals).toBeGreaterThan(0);
  const before = (await rig.store.jobs.readState(jobId))!.progressAt!;

  // Three deadlines long, with the controller looking all the time.
  for (let lived = before; lived < before + 6000;) {
    await rig.sweep();
    // The tables of this process answer at once: without a turn no timer of the host would run.
    await turn();
    const state = (await rig.store.jobs.readState(jobId))!;
    expect(state).toMatchObject({ status: 'processing', attempt: 1, lostAttempts: 0 });
    lived = state.progressAt!;
  }
  open = true;
  const status = await rig.until(jobId, ['completed', 'failed']);
  expect(status).toMatchObject({ status: 'completed', attempts: 1 });
  expect((await rig.store.jobs.readState(jobId))!.lostAttempts).toBe(0);
}, 30_000);
