import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig.close());

test('a job goes the whole way', async () => {
  const jobId = await rig.generate();
  const status = await rig.until(jobId, ['completed']);
  expect(status).toMatchObject({ progress: 1, simulated: true, attempts: 1 });
});
