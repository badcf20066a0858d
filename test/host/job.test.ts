// A job on a healthy host: progress, batches, failures, cancellation, drain.

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

let rig: Rig;
let host: TestHost;
beforeAll(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  host = await rig.addHost({ usdPerHour: 3.6 });
});
afterAll(() => rig.close());

const slow = (ms: number, more: Record<string, unknown> = {}) =>
  rig.generate({ workflow: 'slow', ms, ...more });
const comfyuiQueue = async () => {
  const response = await fetch(`${host.comfyui.url}/queue`);
  const { queue_running, queue_pending } = (await response.json()) as Record<string, unknown[]>;
  return queue_running!.length + queue_pending!.length;
};

test('progress rises to 1 and never falls', async () => {
  const jobId = await slow(2500);
  const seen: number[] = [];
  for (;;) {
    const status = await rig.status(jobId);
    seen.push(Number(status['progress']));
    if (status['status'] === 'completed') break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(new Set(seen).size).toBeGreaterThan(3);
  expect(seen.at(-1)).toBe(1);
  const { started_at: started, completed_at: ended } = await rig.status(jobId);
  expect(Date.parse(String(ended)) - Date.parse(String(started))).toBeGreaterThan(2000);
});

test('a job says what it took of the GPU and what that cost', async () => {
  const jobId = await slow(700);
  const status = await rig.until(jobId, ['completed']);
  const seconds = Number(status['gpu_seconds']);
  expect(seconds).toBeGreaterThanOrEqual(0.7);
  expect(seconds).toBeLessThan(3);
  // $3.6 an hour is a tenth of a cent a second.
  expect(status['cost_usd']).toBeCloseTo(seconds / 1000, 6);
});

test('a batch gives as many images, in order, each of its own name', async () => {
  const status = await rig.until(await slow(0, { batch_size: 3 }), ['completed']);
  const images = status['images'] as { filename: string }[];
  expect(images.map(({ filename }) => filename.slice(-10))).toEqual([
    '00001_.png',
    '00002_.png',
    '00003_.png',
  ]);
  for (const { filename } of images)
    expect((await rig.app.request(`/api/image/${filename}`)).status).toBe(200);
});

test('a node that fails ends the job with its reason, without a path', async () => {
  // It begins as one.
  const bytes = Buffer.from('\x89PNG\r\n\x1a\nand no more', 'latin1');
  const name = `${createHash('sha256').update(bytes).digest('hex')}.png`;
  await rig.images.put(keys.upload('local', name), bytes, { contentType: 'image/png' });
  const status = await rig.until(await rig.generate({ workflow: 'load', image: name }), ['failed']);
  expect(status).toMatchObject({ error_code: 'node_failed', attempts: 1 });
  expect(status['error']).toMatch(/^LoadImage \(node 1\) failed: .*cannot identify image file/);
  expect(status['error']).not.toMatch(/\/[a-z]+\//);
});

async function anImage(): Promise<string> {
  const status = await rig.until(await slow(0), ['completed']);
  return String(status['output_image']);
}

test('an image that was made here goes into another job, and comes out changed', async () => {
  const name = await anImage();
  const status = await rig.until(await rig.generate({ workflow: 'load', image: name }), ['completed']);
  expect(status['output_image']).toMatch(/^Inverted_/);
});

test('an input that is gone when the job runs fails it by name', async () => {
  const name = await anImage();
  const jobId = await rig.generate({ workflow: 'slow', ms: 1000 });
  const second = await rig.generate({ workflow: 'slow', ms: 1001 });
  const reader = await rig.generate({ workflow: 'load', image: name });
  const { staging } = (await rig.store.jobs.readRequest(reader))!;
  await rig.images.delete(staging.map(({ key }) => key));
  expect(await rig.until(reader, ['failed'])).toMatchObject({ error_code: 'input_gone' });
  await Promise.all([rig.until(jobId, ['completed']), rig.until(second, ['completed'])]);
});

test('a cancelled job is interrupted in ComfyUI within two seconds and stays cancelled', async () => {
  const jobId = await slow(30_000);
  await rig.until(jobId, ['processing']);
  const asked = host.comfyui.requests.length;
  const response = await rig.app.request(`/api/queue/${jobId}`, { method: 'DELETE' });
  expect(response.status).toBe(200);
  await expect.poll(comfyuiQueue, { timeout: 2500 }).toBe(0);
  await expect.poll(() => host.running.offer(jobId), { timeout: 2000 }).toBe('will-try');
  expect(await rig.status(jobId)).toMatchObject({ status: 'cancelled', output_image: null });
  expect(await rig.store.jobs.readState(jobId)).not.toHaveProperty('host');
  const paths = host.comfyui.requests.slice(asked).map(({ path }) => path);
  expect(paths).toContainEqual(expect.stringMatching(/^\/api\/jobs\/[0-9a-f-]+\/cancel$/));
  expect(paths).not.toContain('/interrupt');
});

test('on a ComfyUI without that route it is interrupted the old way', async () => {
  const own = await startRig({ workflows: 'test/workflows' });
  const { comfyui } = await own.addHost({ comfyui: { version: '0.8' } });
  const jobId = await own.generate({ workflow: 'slow', ms: 30_000 });
  await own.until(jobId, ['processing']);
  await own.app.request(`/api/queue/${jobId}`, { method: 'DELETE' });
  const queue = async () => (await (await fetch(`${comfyui.url}/prompt`)).json()) as object;
  await expect.poll(queue, { timeout: 2500 }).toEqual({ exec_info: { queue_remaining: 0 } });
  expect(await own.status(jobId)).toMatchObject({ status: 'cancelled' });
  await own.close();
});

test('a job that is cancelled while it waits in ComfyUI never runs, and the running one goes on', async () => {
  const first = await slow(1500);
  await rig.until(first, ['processing']);
  const second = await slow(1500, { seed: 7 });
  await expect.poll(comfyuiQueue, { timeout: 2000 }).toBe(2);
  await rig.app.request(`/api/queue/${second}`, { method: 'DELETE' });
  await expect.poll(comfyuiQueue, { timeout: 2000 }).toBe(1);
  expect(await rig.until(first, ['completed'])).toMatchObject({ attempts: 1 });
  expect(await rig.status(second)).toMatchObject({ status: 'cancelled' });
});

test('a doubled, late or forged offer changes nothing', async () => {
  const jobId = await slow(300);
  await rig.until(jobId, ['processing']);
  expect(host.running.offer(jobId)).toBe('has-it');
  const done = await rig.until(jobId, ['completed']);
  const before = await rig.store.jobs.readState(jobId);
  host.running.offer(jobId);
  const item = (await rig.store.hosts.read(host.running.hostId))!;
  const forged = await fetch(`${item.url}/jobs`, { method: 'POST', body: JSON.stringify({ jobId }) });
  expect(forged.status).toBe(401);
  // The next job comes after the late offer was dealt with.
  await rig.until(await slow(0), ['completed']);
  expect(await rig.store.jobs.readState(jobId)).toEqual(before);
  expect(done['attempts']).toBe(1);
});
