// A ComfyUI that is silent, cut off, restarted, hung or lying costs seconds, never a job.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { PNG } from 'pngjs';
import { QUICK } from '../support/quick.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

let rig: Rig;
let host: TestHost;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows', timings: QUICK });
  host = await rig.addHost();
});
afterEach(() => rig.close());

const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });
const posted = () =>
  host.comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')).length;

test('a lost answer to POST /prompt is looked up, never posted again', async () => {
  host.comfyui.faults.losePromptAnswer = true;
  const status = await rig.until(await slow(200), ['completed', 'failed']);
  expect(status).toMatchObject({ status: 'completed', attempts: 1, progress: 1 });
  expect(posted()).toBe(1);
});

test('a prompt that ComfyUI forgot runs again, and the fault is counted', async () => {
  const jobId = await slow(1500);
  await rig.until(jobId, ['processing']);
  host.comfyui.faults.forget();
  const status = await rig.until(jobId, ['completed', 'failed'], 15_000);
  expect(status).toMatchObject({ status: 'completed', attempts: 2 });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 1 });
}, 20_000);

test('a ComfyUI that ends as its job has saved its image makes it again', async () => {
  host.comfyui.faults.endsOnExecuted = 1;
  const jobId = await slow(300);
  const status = await rig.until(jobId, ['completed', 'failed'], 15_000);
  expect(status).toMatchObject({ status: 'completed', attempts: 2, images: [{}] });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 1 });
}, 20_000);

test('half an image is fetched again, whole', async () => {
  host.comfyui.faults.halfImage = true;
  const jobId = await slow(0);
  const views = () => host.comfyui.requests.filter(({ path }) => path.endsWith('/view')).length;
  await expect.poll(views, { timeout: 5000 }).toBeGreaterThanOrEqual(2);
  host.comfyui.faults.halfImage = false;
  const status = await rig.until(jobId, ['completed']);
  const response = await rig.app.request(`/api/image/${String(status['output_image'])}`);
  const image = PNG.sync.read(Buffer.from(await response.arrayBuffer()));
  expect([image.width, image.height]).toEqual([64, 64]);
}, 15_000);

test('a history that comes late is waited for', async () => {
  host.comfyui.faults.holdHistory = true;
  const jobId = await slow(0);
  const sinceEnd = host.comfyui.requests.length;
  await expect
    .poll(() => host.comfyui.requests.slice(sinceEnd).filter(({ path }) => path.endsWith('/queue')).length, {
      timeout: 5000,
    })
    .toBeGreaterThanOrEqual(2);
  expect((await rig.status(jobId))['status']).not.toBe('completed');
  host.comfyui.faults.holdHistory = false;
  await rig.until(jobId, ['completed']);
});

test('a job past its deadline goes back, and nothing is claimed while the hung prompt keeps the executor', async () => {
  host.comfyui.faults.hangExecutor = true;
  const jobId = await slow(0);
  await rig.until(jobId, ['processing']);
  const status = await rig.until(jobId, ['queued'], 8000);
  expect(status).toMatchObject({ progress: 0 });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 1, work: 'waiting' });
  expect(status['attempts']).toBe(1);
  host.comfyui.faults.hangExecutor = false;
  await rig.until(jobId, ['completed'], 10_000);
}, 30_000);

test('what waits behind a prompt that cannot be stopped goes back, at no fault', async () => {
  host.comfyui.faults.hangExecutor = true;
  const hung = await slow(0);
  await rig.until(hung, ['processing']);
  const behind = await slow(1);
  await expect.poll(async () => (await rig.store.jobs.readState(behind))?.work).toBe('held');
  await expect
    .poll(async () => (await rig.store.jobs.readState(behind))?.work, { timeout: 15_000 })
    .toBe('waiting');
  expect(await rig.store.jobs.readState(behind)).toMatchObject({ status: 'queued', lostAttempts: 0 });
  host.comfyui.faults.hangExecutor = false;
  await rig.until(behind, ['completed'], 10_000);
}, 40_000);

test('a ComfyUI that answers 500 to POST /prompt costs no fault', async () => {
  host.comfyui.faults.answer500 = ['/prompt'];
  const jobId = await slow(0);
  await expect.poll(posted, { timeout: 5000 }).toBeGreaterThanOrEqual(1);
  host.comfyui.faults.answer500 = [];
  await rig.until(jobId, ['completed'], 15_000);
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 0 });
}, 20_000);

test('while ComfyUI is silent nothing is claimed; when it comes back, work goes on', async () => {
  host.comfyui.faults.answer500 = ['/system_stats', '/queue', '/prompt', '/history'];
  await expect
    .poll(async () => (await rig.store.hosts.read(host.running.hostId))?.comfyui, { timeout: 10_000 })
    .toBe(false);
  const jobId = await slow(0);
  expect(host.running.offer(jobId)).toBe('no-slot');
  expect(await rig.status(jobId)).toMatchObject({ status: 'queued', waiting_code: 'comfyui_silent' });
  host.comfyui.faults.answer500 = [];
  expect(await rig.until(jobId, ['completed'], 5000)).toMatchObject({ attempts: 1 });
}, 20_000);

test('what has not started in a ComfyUI that fell silent goes elsewhere, at no fault', async () => {
  const running = await slow(30_000);
  await rig.until(running, ['processing']);
  const behind = await slow(10);
  await expect.poll(async () => (await rig.store.jobs.readState(behind))?.work).toBe('held');
  host.comfyui.faults.answer500 = ['/system_stats', '/queue', '/history', '/interrupt', '/jobs'];
  await expect
    .poll(async () => (await rig.store.jobs.readState(behind))?.work, { timeout: 30_000 })
    .toBe('waiting');
  expect(await rig.store.jobs.readState(behind)).toMatchObject({ status: 'queued', lostAttempts: 0 });
  const other = await rig.addHost();
  expect(await rig.until(behind, ['completed'])).toMatchObject({ attempts: 2 });
  await rig.app.request(`/api/queue/${running}`, { method: 'DELETE' });
  expect(other.running.hostId).not.toBe(host.running.hostId);
  // Whoever stops such a host does not wait for ever.
  await host.running.drain();
}, 60_000);
