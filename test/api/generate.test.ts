// POST /api/generate: what it answers, and that every input reaches the graph that ComfyUI will get.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Graph } from '../../functions/core/object-info.ts';
import { readGraph } from '../../functions/images/documents.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { call, eventually, type Json } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

async function generate(json: Json): Promise<Json> {
  const answer = await call(rig.app, 'POST /api/generate', { json });
  expect(answer).toMatchObject({ status: 202 });
  return answer.json;
}

async function graphOf(answer: Json): Promise<Graph> {
  const request = await rig.store.jobs.readRequest(String(answer['job_id']));
  return (await readGraph(rig.images, request!))!;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test('answers 202 with the fields of the guide, and seed, workflow and notes beside them', async () => {
  const answer = await generate({ prompt: 'a cat' });
  expect(answer).toEqual({
    job_id: expect.stringMatching(UUID),
    prompt_id: expect.stringMatching(UUID),
    status: 'queued',
    prompt: 'a cat',
    message: 'Image generation queued',
    workflow: 'flux2_turbo_default',
    seed: expect.any(Number),
    seed_text: String(answer['seed']),
    trace_id: String(answer['job_id']).replaceAll('-', ''),
    notes: [],
  });
  expect(answer['prompt_id']).not.toBe(answer['job_id']);
});

test("the guide's defaults reach the graph", async () => {
  const answer = await generate({ prompt: 'a cat' });
  const graph = await graphOf(answer);
  expect(graph['4']!.inputs['text']).toBe('a cat');
  expect(graph['5']!.inputs['text']).toBe('');
  expect(graph['6']!.inputs['guidance']).toBe(3.5);
  expect(graph['3']!.inputs['strength_model']).toBe(1);
  expect(graph['7']!.inputs).toMatchObject({ width: 1024, height: 1024, batch_size: 1 });
  expect(graph['8']!.inputs).toMatchObject({
    steps: 25,
    sampler_name: 'euler_ancestral',
    scheduler: 'karras',
    seed: answer['seed'],
    cfg: 1,
  });
});

test("every parameter of the guide's example reaches the graph", async () => {
  const answer = await generate({
    prompt: 'a serene mountain landscape with golden hour lighting',
    negative_prompt: 'blurry, low quality',
    steps: 20,
    cfg: 4.5,
    width: 512,
    height: 768,
    lora_strength: 0.5,
    sampler: 'euler',
    scheduler: 'simple',
    batch_size: 2,
    seed: 12345,
  });
  expect(answer['seed']).toBe(12345);
  const graph = await graphOf(answer);
  expect(graph['5']!.inputs['text']).toBe('blurry, low quality');
  expect(graph['6']!.inputs['guidance']).toBe(4.5);
  expect(graph['3']!.inputs['strength_model']).toBe(0.5);
  expect(graph['7']!.inputs).toMatchObject({ width: 512, height: 768, batch_size: 2 });
  expect(graph['8']!.inputs).toMatchObject({
    steps: 20,
    sampler_name: 'euler',
    scheduler: 'simple',
    seed: 12345,
  });
});

test('a negative prompt takes effect, and the notes say that it doubles the time', async () => {
  const answer = await generate({ prompt: 'a cat', negative_prompt: 'blurry' });
  expect(answer['notes']).toEqual([expect.stringContaining('twice the time')]);
  expect((await graphOf(answer))['8']!.inputs['cfg']).toBe(2);
  const status = await rig.status(String(answer['job_id']));
  expect(status['notes']).toEqual(answer['notes']);
});

test('numbers as strings are taken, and null is absent', async () => {
  const graph = await graphOf(
    await generate({
      prompt: 'a cat',
      steps: '20',
      cfg: ' 4.5 ',
      seed: '7',
      width: null,
      sampler: null,
      workflow: null,
      preset: null,
    }),
  );
  expect(graph['8']!.inputs).toMatchObject({ steps: 20, seed: 7, sampler_name: 'euler_ancestral' });
  expect(graph['6']!.inputs['guidance']).toBe(4.5);
  expect(graph['7']!.inputs['width']).toBe(1024);
});

test('an absent seed is drawn at random from 0 to 2^53-1', async () => {
  const seeds = await Promise.all([1, 2, 3, 4].map(async () => (await generate({ prompt: 'x' }))['seed']));
  expect(new Set(seeds).size).toBe(4);
  for (const seed of seeds) expect(Number.isSafeInteger(seed) && Number(seed) >= 0).toBe(true);
});

test('a preset sets what it names, and a field of the request wins over it', async () => {
  const graph = await graphOf(await generate({ prompt: 'x', preset: 'rtx-4080', steps: 12 }));
  expect(graph['7']!.inputs).toMatchObject({ width: 768, height: 768 });
  expect(graph['8']!.inputs['steps']).toBe(12);
});

test("another workflow takes that template's own inputs", async () => {
  const answer = await generate({ prompt: 'x', workflow: 'flux2_turbo_upscale', scale: 2, denoise: 0.5 });
  expect(answer['workflow']).toBe('flux2_turbo_upscale');
  const graph = await graphOf(answer);
  expect(graph['12']!.inputs['scale_by']).toBe(2);
  expect(graph['14']!.inputs['denoise']).toBe(0.5);
});

describe('the edges of each range are taken', () => {
  test.each([
    { steps: 1, cfg: 0, lora_strength: 0, width: 256, height: 2048, batch_size: 1, seed: 0 },
    { steps: 50, cfg: 30, lora_strength: 1, width: 2048, height: 272, batch_size: 8, seed: 2 ** 53 - 1 },
  ])('%j', async (body) => {
    const { inputs } = (await rig.store.jobs.readRequest(
      String((await generate({ prompt: 'x', ...body }))['job_id']),
    ))!;
    expect(inputs).toMatchObject(body);
  });
});

describe('comes back byte for byte', () => {
  test.each([
    ['10,000 characters', 'ä'.repeat(10_000)],
    ['10,000 emoji of two units each', '🦊'.repeat(10_000)],
    ['joined emoji', '👩‍👩‍👧‍👦 🏳️‍🌈 é'],
    ['right-to-left text', 'ثعلب أحمر في الثلج — שועל אדום'],
    ['quotes, newlines and tabs', '"a" \'b\' \\n `c`\r\n\tline\n{"json": [1]} $(rm) <script>&amp;'],
    ['a prompt that looks like a field of the table', '#status :v0 attribute_not_exists(jobId)'],
  ])('%s', async (_, prompt) => {
    const answer = await generate({ prompt });
    expect(answer['prompt']).toBe(prompt);
    expect((await graphOf(answer))['4']!.inputs['text']).toBe(prompt);
    expect((await rig.status(String(answer['job_id'])))['prompt']).toBe(prompt);
    const queue = await call<{ jobs: Record<string, Json> }>(rig.app, 'GET /api/queue');
    expect(queue.json.jobs[String(answer['job_id'])]!['prompt']).toBe(prompt);
  });
});

test('too many waiting: 429 with Retry-After, and room again when some are gone', async () => {
  const small = await startRig({ settings: { maxWaiting: 2 } });
  try {
    const [first] = [await small.generate(), await small.generate()];
    const refused = await call(small.app, 'POST /api/generate', { json: { prompt: 'x' } });
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({
      code: 'too_many_waiting',
      error: expect.stringContaining('2 jobs'),
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await call(small.app, `DELETE /api/queue/${first}`);
    await eventually(
      'room in the queue',
      async () => (await call(small.app, 'POST /api/generate', { json: { prompt: 'x' } })).status === 202,
      5000,
    );
  } finally {
    await small.close();
  }
});
