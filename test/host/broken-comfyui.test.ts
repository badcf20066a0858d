// A ComfyUI that answers, and wrongly: each wrong answer costs what it is about, and is told by its name.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { type Between, type RigBetween, startBetween } from '../support/between.ts';
import { QUICK } from '../support/quick.ts';
import type { TestHost } from '../support/rig.ts';

let rig: RigBetween;
let simulated: SimulatedComfyUI;
let between: Between;
beforeEach(async () => {
  rig = await startBetween({ ...QUICK, inventoryAwaitedFor: 2000 });
  ({ simulated, between } = rig);
});
afterEach(() => rig.close());

const addHost = (): Promise<TestHost> => rig.addHost({ comfyui: between.comfyui });
const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });
const item = (host: TestHost) => rig.store.hosts.read(host.running.hostId);
const state = (jobId: string) => rig.store.jobs.readState(jobId);

function json(response: ServerResponse, status: number, body: string): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  return true;
}
const isPost = ({ method, url }: IncomingMessage, path: string) => method === 'POST' && url === path;

test.each([
  ['500', 500, 'text/plain'],
  ["a proxy's page", 200, 'text/html'],
  ["a proxy's 502", 502, 'text/html'],
])(
  'POST /prompt that answers with %s costs waiting jobs time and no attempt',
  async (_, status, type) => {
    const host = await addHost();
    let posts = 0;
    between.answer = (request, response) => {
      if (!isPost(request, '/prompt')) return false;
      posts += 1;
      response.writeHead(status, { 'content-type': type }).end('<h1>sorry</h1>');
      return true;
    };
    const jobs = await Promise.all([slow(0), slow(0), slow(0)]);
    await expect
      .poll(async () => (await item(host))?.trouble, { timeout: 10_000 })
      .toMatch(/^comfyui_takes_no_prompts: /);
    expect(await item(host)).toMatchObject({ comfyui: false });
    await expect
      .poll(async () => Math.max(...(await Promise.all(jobs.map(state))).map((job) => job?.setbacks ?? 0)), {
        timeout: 15_000,
      })
      .toBeGreaterThanOrEqual(2);
    for (const job of await Promise.all(jobs.map(state)))
      expect(job).toMatchObject({ status: 'queued', lostAttempts: 0 });
    for (const job of await Promise.all(jobs.map(state))) expect(job?.strikes ?? 0).toBe(0);
    // Spaced: unbounded, each of three jobs would be posted some three times a second.
    expect(posts).toBeLessThan(14);
    between.answer = () => false;
    for (const jobId of jobs)
      expect(await rig.until(jobId, ['completed', 'failed'], 60_000)).toMatchObject({ status: 'completed' });
    await expect.poll(async () => (await item(host))?.trouble, { timeout: 10_000 }).toBeUndefined();
  },
  120_000,
);

test('a job that comes back holds up nobody behind it', async () => {
  await addHost();
  let refused: string | undefined;
  between.answer = (request, response, body) => {
    if (!isPost(request, '/prompt')) return false;
    const { prompt_id: promptId } = JSON.parse(body.toString()) as { prompt_id: string };
    refused ??= promptId;
    return promptId === refused && json(response, 500, '{}');
  };
  const first = await slow(0);
  await expect.poll(async () => (await state(first))?.setbacks, { timeout: 10_000 }).toBe(1);
  expect(await rig.until(await slow(0), ['completed', 'failed'])).toMatchObject({ status: 'completed' });
  expect(await rig.until(first, ['completed', 'failed'], 20_000)).toMatchObject({
    status: 'completed',
    attempts: 2,
  });
}, 40_000);

test.each(['no status', 'null', '500', 'no JSON'] as const)(
  'a history entry that is %s costs its own job, at once and for the time that it ran',
  async (how) => {
    await addHost();
    simulated.faults.unreadableEntry = how;
    const bad = await slow(400);
    await rig.until(bad, ['processing']);
    simulated.faults.unreadableEntry = null;
    const good = await slow(0);
    expect(await rig.until(good, ['completed', 'failed'])).toMatchObject({
      status: 'completed',
      attempts: 1,
    });
    const ended = await rig.until(bad, ['completed', 'failed'], 15_000);
    expect(ended).toMatchObject({ status: 'failed', error_code: 'unreadable_result', attempts: 1 });
    expect(ended['error']).toMatch(/^ComfyUI ended the job, but its history entry cannot be read: /);
    expect(ended['gpu_seconds']).toBeLessThan(2.5);
  },
  40_000,
);

test("another person's bare NaN in the queue is read past", async () => {
  await addHost();
  simulated.faults.nanInQueue = true;
  expect(await rig.until(await slow(0), ['completed', 'failed'])).toMatchObject({ status: 'completed' });
}, 20_000);

test('a queue that cannot be read at the start is waited for, and said', async () => {
  between.answer = (request, response) => request.url === '/queue' && json(response, 500, '{}');
  const host = await addHost();
  await expect.poll(async () => (await item(host))?.trouble, { timeout: 10_000 }).toMatch(/^comfyui_queue: /);
  const jobId = await slow(0);
  expect(await rig.status(jobId)).toMatchObject({ status: 'queued' });
  between.answer = () => false;
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempts: 1 });
}, 40_000);

test('while the queue cannot be read, what ends is found in the history', async () => {
  await addHost();
  const jobId = await slow(700);
  await rig.until(jobId, ['processing']);
  between.answer = (request, response) => request.url === '/queue' && json(response, 500, '{}');
  simulated.faults.socketSilent = true;
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempts: 1 });
}, 40_000);

test.each([
  ['null', 'null', 'comfyui_unreadable'],
  ['[]', '[]', 'comfyui_unreadable'],
  ['a page', undefined, 'comfyui_silent'],
])(
  '/system_stats that is %s is a named state',
  async (_, body, name) => {
    between.answer = (request, response) => {
      if (request.url !== '/system_stats') return false;
      if (body !== undefined) return json(response, 200, body);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      return true;
    };
    const host = await addHost();
    await expect
      .poll(async () => (await item(host))?.trouble, { timeout: 10_000 })
      .toMatch(new RegExp(`^${name}: `));
    expect((await rig.app.request('/api/health')).status).toBe(503);
  },
  20_000,
);

test.each([
  ['null', (response: ServerResponse) => json(response, 200, 'null')],
  ['500', (response: ServerResponse) => json(response, 500, '{}')],
  ['never there', () => true],
])(
  'an /object_info that is %s keeps nobody from working',
  async (_, reply) => {
    between.answer = (request, response) => request.url === '/object_info' && reply(response);
    await addHost();
    expect(await rig.until(await slow(0), ['completed', 'failed'], 20_000)).toMatchObject({
      status: 'completed',
    });
  },
  40_000,
);

test('one folder of models that answers 500 costs what is in it', async () => {
  between.answer = (request, response) => request.url === '/models/loras' && json(response, 500, '{}');
  const host = await addHost();
  await expect.poll(async () => (await item(host))?.inventoryHash, { timeout: 10_000 }).toBeDefined();
  const { models } = (await (await rig.app.request('/api/system')).json()) as {
    models: Record<string, string[]>;
  };
  expect(models).not.toHaveProperty('loras');
  expect(models['vae']).toBeDefined();
}, 20_000);

test.each([
  [413, '<html>413 Request Entity Too Large</html>', 'text/html', '413 Request Entity Too Large'],
  [400, '{"error":"no such"}', 'application/json', 'no such'],
])(
  'an input image that is refused with %i fails its job with the reason',
  async (status, body, type, reason) => {
    await addHost();
    const made = await rig.until(await slow(0), ['completed']);
    between.answer = (request, response) => {
      if (!isPost(request, '/upload/image')) return false;
      response.writeHead(status, { 'content-type': type }).end(body);
      return true;
    };
    const jobId = await rig.generate({ workflow: 'load', image: String(made['output_image']) });
    const ended = await rig.until(jobId, ['completed', 'failed']);
    expect(ended).toMatchObject({ status: 'failed', error_code: 'input_refused', attempts: 1 });
    expect(ended['error']).toContain(reason);
  },
  20_000,
);

test('a ComfyUI whose disk is full is left with jobs that read no image, and says so', async () => {
  const host = await addHost();
  const made = await rig.until(await slow(0), ['completed']);
  between.answer = (request, response) => isPost(request, '/upload/image') && json(response, 500, '{}');
  const reading = [
    await rig.generate({ workflow: 'load', image: String(made['output_image']) }),
    await rig.generate({ workflow: 'load', image: String(made['output_image']) }),
  ];
  await expect
    .poll(async () => (await state(reading[0]!))?.setbacks ?? 0, { timeout: 10_000 })
    .toBeGreaterThan(0);
  expect(await rig.until(await slow(0), ['completed', 'failed'])).toMatchObject({ status: 'completed' });
  await expect
    .poll(async () => (await item(host))?.trouble, { timeout: 10_000 })
    .toMatch(/^comfyui_inputs: /);
  expect((await rig.app.request('/api/health')).status).toBe(200);
  between.answer = () => false;
  for (const jobId of reading)
    expect(await rig.until(jobId, ['completed', 'failed'], 60_000)).toMatchObject({ status: 'completed' });
  for (const jobId of reading) expect(await state(jobId)).toMatchObject({ lostAttempts: 0 });
}, 120_000);

test('a ComfyUI that ignores prompt_id is asked once, and named', async () => {
  const host = await addHost();
  let posts = 0;
  between.answer = (request, response, body) => {
    if (!isPost(request, '/prompt')) return false;
    posts += 1;
    const { prompt_id: _asked, ...sent } = JSON.parse(body.toString()) as Record<string, unknown>;
    void fetch(`${simulated.url}/prompt`, { method: 'POST', body: JSON.stringify(sent) }).then(
      async (answer) => json(response, answer.status, await answer.text()),
    );
    return true;
  };
  const jobId = await slow(30_000);
  await expect
    .poll(async () => (await item(host))?.trouble, { timeout: 10_000 })
    .toMatch(/^comfyui_too_old: .*0\.8 or later/);
  expect(await state(jobId)).toMatchObject({ status: 'queued', lostAttempts: 0 });
  await expect
    .poll(
      async () => {
        const queue = (await (await fetch(`${simulated.url}/queue`)).json()) as Record<string, unknown[]>;
        return Object.values(queue).flat().length;
      },
      { timeout: 10_000 },
    )
    .toBe(0);
  expect(posts).toBe(1);
}, 40_000);
