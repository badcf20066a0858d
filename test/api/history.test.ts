// The shape of GET /api/history, and DELETE /api/history/<id>, which leaves nothing of a job.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { call, countStored, type Json, putJob } from './support.ts';

interface Entry {
  prompt: [number, string, Record<string, { inputs: Json; class_type: string }>, Json, string[]];
  outputs: Record<string, { images: Json[] }>;
  status: string;
  job_id: string;
  error: string | null;
}

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig.close());

async function entryOf(jobId: string): Promise<Entry> {
  const { history } = (await call<{ history: Record<string, Entry> }>(rig.app, 'GET /api/history')).json;
  return history[String((await rig.status(jobId))['prompt_id'])]!;
}

test("a completed job's entry is shaped like ComfyUI's", async () => {
  const jobId = await rig.generate({ seed: 3, batch_size: 2 });
  const status = await rig.until(jobId, ['completed']);
  const { prompt, ...entry } = await entryOf(jobId);
  const [number, promptId, graph, extraData, outputs] = prompt;
  expect(number).toBe(Date.parse(String(status['created_at'])));
  expect(promptId).toBe(status['prompt_id']);
  expect(graph['8']).toMatchObject({ class_type: 'KSampler', inputs: { seed: 3, steps: 4 } });
  expect(extraData).toEqual({});
  expect(outputs).toEqual(['11']);
  const images = status['images'] as { filename: string }[];
  expect(entry).toEqual({
    outputs: {
      11: { images: images.map(({ filename }) => ({ filename, subfolder: '', type: 'output' })) },
    },
    status: 'success',
    job_id: jobId,
    error: null,
  });
});

test("a failed job's entry says error, and why", async () => {
  const graph = structuredClone(rig.templates.get('flux2_turbo_default')!.graph);
  graph['8']!.inputs['steps'] = 'many';
  const jobId = await putJob(rig, { graph });
  const status = await rig.until(jobId, ['failed']);
  expect(await entryOf(jobId)).toMatchObject({ status: 'error', outputs: {}, error: status['error'] });
});

test('removal takes record, images and graph for good', async () => {
  const before = await countStored(rig);
  const jobId = await rig.generate({ batch_size: 2 });
  const { output_image: image } = await rig.until(jobId, ['completed']);
  const entry = await entryOf(jobId);
  expect(entry.status).toBe('success');

  const removed = await call(rig.app, `DELETE /api/history/${jobId}`);
  expect(removed.status).toBe(200);
  expect(removed.json).toEqual({ status: 'success', message: `Job ${jobId} removed` });
  expect(await countStored(rig)).toEqual(before);
  expect(await rig.images.head(keys.image(jobId, 1, String(image)))).toBeUndefined();
  expect((await call(rig.app, `GET /api/status/${jobId}`)).status).toBe(404);
  expect((await call(rig.app, `GET /api/image/${String(image)}`)).status).toBe(404);
  const { json: outputs } = await call<{ images: string[] }>(rig.app, 'GET /api/outputs');
  expect(outputs.images).not.toContain(image);
  const { json } = await call<{ history: object }>(rig.app, 'GET /api/history');
  expect(Object.keys(json.history)).not.toContain(entry.prompt[1]);

  expect((await call(rig.app, `DELETE /api/history/${jobId}`)).status).toBe(404);
});

test('a cancelled job can be removed, one that has not ended is 409, an unknown one 404', async () => {
  const cancelled = await putJob(rig, { status: 'cancelled' });
  expect((await call(rig.app, `DELETE /api/history/${cancelled}`)).status).toBe(200);

  const held = await putJob(rig, { status: 'processing', state: { host: 'h', work: 'held', attempt: 1 } });
  const refused = await call(rig.app, `DELETE /api/history/${held}`);
  expect(refused.status).toBe(409);
  expect(refused.json).toMatchObject({
    code: 'not_ended',
    error: expect.stringContaining(`DELETE /api/queue/${held}`),
  });
  expect((await rig.status(held))['status']).toBe('processing');
  await call(rig.app, `DELETE /api/queue/${held}`);

  for (const id of ['550e8400-e29b-41d4-a716-446655440000', '..%2f', 'x']) {
    const unknown = await call(rig.app, `DELETE /api/history/${id}`);
    expect(unknown.status).toBe(404);
    expect(unknown.json).toEqual({ error: 'Job not found', code: 'job_not_found' });
  }
});

test('a job whose image another is about to read stays until that has ended, and says which', async () => {
  const made = await putJob(rig, { status: 'completed', images: 1, state: { attempt: 1 } });
  // Held by nobody who works on it: it has not ended.
  const reader = await putJob(rig, { status: 'processing', state: { host: 'h', work: 'held', attempt: 1 } });
  const [filename] = (await rig.store.jobs.readState(made))!.outputs!.map((output) => output.filename);
  const staging = [{ key: keys.image(made, 1, filename!), to: [] }];
  await rig.store.engine.table(jobsTable).update({ jobId: reader, part: 'request' }, { set: { staging } });
  expect(await call(rig.app, `DELETE /api/history/${made}`)).toMatchObject({
    status: 409,
    json: { code: 'image_in_use', details: { job_id: reader } },
  });
  expect((await rig.status(made))['status']).toBe('completed');
  await call(rig.app, `DELETE /api/queue/${reader}`);
  expect((await call(rig.app, `DELETE /api/history/${made}`)).status).toBe(200);
});
