// What a GPU did for a job that was cancelled is not free. Source: docs/reports.md.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  await rig.addHost({ usdPerHour: 3600 });
});
afterEach(() => rig.close());

test('five jobs that are cancelled on their way say what they took', async () => {
  for (let job = 0; job < 5; job += 1) {
    const jobId = await rig.generate({ workflow: 'slow', ms: 5000 });
    await rig.until(jobId, ['processing']);
    // A while of it, as the host measures it.
    await expect
      .poll(async () => (await rig.status(jobId))['progress'], { timeout: 5000 })
      .toBeGreaterThan(0);
    const response = await rig.app.request(`/api/queue/${jobId}`, { method: 'DELETE' });
    expect(response.status).toBe(200);
    await expect
      .poll(async () => (await rig.status(jobId))['gpu_seconds'], { timeout: 5000 })
      .toBeGreaterThan(0.1);
    const { gpu_seconds: seconds, cost_usd: cost, status } = await rig.status(jobId);
    expect(status).toBe('cancelled');
    expect(cost).toBeCloseTo(Number(seconds), 2);
  }
}, 60_000);

test('one that is cancelled while it waits took nothing', async () => {
  const first = await rig.generate({ workflow: 'slow', ms: 1500 });
  await rig.until(first, ['processing']);
  const second = await rig.generate({ workflow: 'slow', ms: 1500 });
  await rig.app.request(`/api/queue/${second}`, { method: 'DELETE' });
  await rig.until(first, ['completed']);
  expect(await rig.status(second)).toMatchObject({ status: 'cancelled', gpu_seconds: null });
});
