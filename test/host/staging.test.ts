// A job whose input image does not get into ComfyUI holds its slot only as long as somebody wants it.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

let rig: Rig;
let host: TestHost;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  host = await rig.addHost({ slots: 1 });
});
afterEach(() => rig.close());

const uploads = () => host.comfyui.requests.filter(({ path }) => path.endsWith('/upload/image')).length;

/** Held, and tried again and again. */
async function stuck(): Promise<string> {
  const made = await rig.until(await rig.generate({ workflow: 'slow', ms: 0 }), ['completed']);
  host.comfyui.faults.answer500 = ['/upload/image'];
  const jobId = await rig.generate({ workflow: 'load', image: String(made['output_image']) });
  await expect.poll(uploads, { timeout: 5000 }).toBeGreaterThan(1);
  return jobId;
}

test('cancelled, it makes room', async () => {
  const jobId = await stuck();
  await rig.app.request(`/api/queue/${jobId}`, { method: 'DELETE' });
  const next = await rig.generate({ workflow: 'slow', ms: 0 });
  await rig.until(next, ['completed']);
  expect(await rig.status(jobId)).toMatchObject({ status: 'cancelled' });
}, 20_000);

test('a host that drains gives it back, at no cost, and posts nothing', async () => {
  const jobId = await stuck();
  const prompts = () =>
    host.comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')).length;
  const before = prompts();
  await host.running.drain();
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({
    status: 'queued',
    work: 'waiting',
    lostAttempts: 0,
  });
  expect(prompts()).toBe(before);
}, 20_000);

test('when it gets in after all, it is made', async () => {
  const jobId = await stuck();
  host.comfyui.faults.answer500 = [];
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed' });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 0 });
}, 20_000);
