// GET /api/status/<id>: every field from the first moment to the last.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { hexOf } from '../../functions/core/names.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, eventually, type Json, putJob, putJobs } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test('has every field from the first moment', async () => {
  const before = Date.now();
  const accepted = await call(rig.app, 'POST /api/generate', {
    json: { prompt: 'a red fox', steps: 7, seed: 5 },
  });
  const jobId = String(accepted.json['job_id']);
  const status = await rig.status(jobId);
  expect(status).toEqual({
    job_id: jobId,
    prompt_id: accepted.json['prompt_id'],
    status: 'queued',
    prompt: 'a red fox',
    progress: 0,
    current_step: 0,
    total_steps: 7,
    output_image: null,
    error: null,
    error_code: null,
    created_at: expect.stringMatching(ISO),
    started_at: null,
    completed_at: null,
    workflow: 'flux2_turbo_default',
    seed: 5,
    seed_text: '5',
    attempts: 0,
    trace_id: jobId.replaceAll('-', ''),
    metadata: {},
    priority: 'normal',
    notes: [],
    simulated: false,
    gpu_seconds: null,
    cost_usd: null,
    event_id: '0-queued-0-0-7',
    queue_position: expect.any(Number),
    waiting_for: 'gpu host starting',
    waiting_code: 'host_starting',
    waiting_detail: null,
    waiting_seconds: 300,
    missing: [],
    eta_seconds: 345,
    images: [],
    outputs: [],
  });
  const createdAt = Date.parse(String(status['created_at']));
  expect(createdAt).toBeGreaterThanOrEqual(before - 2000);
  expect(createdAt).toBeLessThanOrEqual(Date.now() + 2000);
  await call(rig.app, `DELETE /api/queue/${jobId}`);
});

test('the id may be written in capitals; unknown ones and what is no id are 404', async () => {
  const jobId = await rig.generate();
  expect((await call(rig.app, `GET /api/status/${jobId.toUpperCase()}`)).json['job_id']).toBe(jobId);
  for (const id of ['550e8400-e29b-41d4-a716-446655440000', 'x', '%00', '..%2f', "' OR 1=1"]) {
    const answer = await call(rig.app, `GET /api/status/${encodeURIComponent(id)}`);
    expect([id, answer.status]).toEqual([id, 404]);
    expect(answer.json).toEqual({ error: 'Job not found', code: 'job_not_found' });
  }
  await call(rig.app, `DELETE /api/queue/${jobId}`);
});

test('the status of a known job is not refused however often it is read', async () => {
  const jobId = await rig.generate();
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => call(rig.app, `GET /api/status/${jobId}`)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  await call(rig.app, `DELETE /api/queue/${jobId}`);
});

test('queue_position counts from 1, is null past 100, and falls as the head goes', async () => {
  const start = rig.store.now() - 10_000;
  const all = await putJobs(
    rig,
    Array.from({ length: 102 }, (_, index) => ({ createdAt: start + index })),
  );
  // Each asks a process that has not read the queue before.
  const positionOf = async (jobId: string | undefined) =>
    (await call(anotherProcess(rig, {}), `GET /api/status/${jobId}`)).json['queue_position'];
  expect(await positionOf(all[0])).toBe(1);
  expect([await positionOf(all[1]), await positionOf(all[99])]).toEqual([2, 100]);
  expect([await positionOf(all[100]), await positionOf(all[101])]).toEqual([null, null]);
  await call(rig.app, `DELETE /api/queue/${all[0]}`);
  expect(await positionOf(all[1])).toBe(1);
  expect(await positionOf(all[100])).toBe(100);
  expect((await rig.status(all[0]!))['queue_position']).toBeNull();
  await call(rig.app, 'POST /api/queue/clear');
});

/** Reads until the end; what was seen on the way. */
async function follow(jobId: string): Promise<Json[]> {
  const seen: Json[] = [];
  await eventually('the end', async () => {
    seen.push(await rig.status(jobId));
    return seen.at(-1)!['status'] === 'completed';
  });
  return seen;
}

test('with a host: processing with progress in at most 4 decimals, never backwards, then completed', async () => {
  await rig.addHost({ comfyui: { stepMs: 100 } });
  const jobId = await rig.generate({ steps: 12, batch_size: 2, seed: 77 });
  const seen = await follow(jobId);

  const running = seen.filter(({ status }) => status === 'processing');
  expect(running.some(({ progress }) => Number(progress) > 0 && Number(progress) < 1)).toBe(true);
  expect(running.some(({ eta_seconds: eta }) => typeof eta === 'number' && eta >= 0)).toBe(true);
  const numbers = seen.map(({ progress }) => Number(progress));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  for (const progress of numbers) expect(JSON.stringify(progress)).toMatch(/^[01](\.\d{1,4})?$/);
  for (const status of running) {
    expect(status).toMatchObject({
      started_at: expect.stringMatching(ISO),
      completed_at: null,
      output_image: null,
      queue_position: null,
      waiting_for: null,
      waiting_code: null,
      waiting_seconds: null,
      total_steps: 12,
      attempts: 1,
    });
    expect(Number(status['current_step'])).toBeLessThanOrEqual(12);
  }

  const name = (ordinal: number) => `Flux2_Turbo_${hexOf(jobId)}_0000${ordinal}_.png`;
  const image = (ordinal: number) => ({
    filename: name(ordinal),
    url: expect.stringContaining(name(ordinal)),
    width: 256,
    height: 256,
    size_bytes: expect.any(Number),
    content_type: 'image/png',
  });
  expect(seen.at(-1)).toMatchObject({
    status: 'completed',
    progress: 1,
    current_step: 12,
    total_steps: 12,
    output_image: name(1),
    error: null,
    seed: 77,
    simulated: true,
    eta_seconds: null,
    completed_at: expect.stringMatching(ISO),
    images: [image(1), image(2)],
  });
});

test('with a host: a failed job says why, in words and in a code', async () => {
  const graph = structuredClone(rig.templates.get('flux2_turbo_default')!.graph);
  graph['8']!.inputs['steps'] = 'many';
  const status = await rig.until(await putJob(rig, { graph }), ['completed', 'failed']);
  expect(status).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('ComfyUI refused the workflow'),
    error_code: 'refused_by_comfyui',
    output_image: null,
    images: [],
    queue_position: null,
    waiting_for: null,
    eta_seconds: null,
    completed_at: expect.stringMatching(ISO),
  });
  expect(status['error']).not.toMatch(/\n| at /);
});
