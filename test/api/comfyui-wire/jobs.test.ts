// ComfyUI's jobs API over the same jobs: the shapes of 0.33's comfy_execution/jobs.py.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Graph } from '../../../functions/core/object-info.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, eventually, type Json } from '../support.ts';
import { small } from '../v2/support.ts';
import { createKey, guardedWire } from './keys.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const get = (path: string) => call(rig.wire, `GET ${path}`);
const post = (path: string, json?: unknown) => call(rig.wire, `POST ${path}`, { json });

interface List {
  jobs: Json[];
  pagination: { offset: number; limit: number; total: number; has_more: boolean };
}
const list = async (query = '') => (await get(`/api/jobs${query}`)).json as unknown as List;
const ids = ({ jobs }: List) => jobs.map(({ id }) => id);

async function send(prompt: Graph, more: object = {}): Promise<string> {
  const id = randomUUID();
  expect((await post('/prompt', { prompt, prompt_id: id, ...more })).status).toBe(200);
  return id;
}

const ended = (id: string) =>
  eventually(`the end of ${id}`, async () => {
    const { json } = await get(`/api/jobs/${id}`);
    return ['pending', 'in_progress'].includes(String(json['status'])) ? undefined : json;
  });

describe('what waits', () => {
  test('is pending, newest first, with its canvas’s id', async () => {
    const first = await send(small('1'), {
      extra_data: { extra_pnginfo: { workflow: { id: 'the-canvas' } } },
    });
    const second = await send(small('2'), { extra_data: { extra_pnginfo: null } });
    const { jobs, pagination } = await list();
    expect(jobs.map(({ id }) => id)).toEqual([second, first]);
    expect(jobs[1]).toEqual({
      id: first,
      status: 'pending',
      priority: expect.any(Number),
      create_time: jobs[1]!['priority'],
      outputs_count: 0,
      previewable_outputs_count: 0,
      workflow_id: 'the-canvas',
    });
    expect(pagination).toEqual({ offset: 0, limit: 200, total: 2, has_more: false });
    expect((await get(`/api/jobs/${first}`)).json).toEqual(jobs[1]);
    expect(ids(await list('?workflow_id=the-canvas'))).toEqual([first]);
    expect(ids(await list('?sort_order=asc&limit=1'))).toEqual([first]);
    expect((await list('?limit=1')).pagination).toMatchObject({ limit: 1, total: 2, has_more: true });
    expect(ids(await list('?limit=1&offset=1'))).toEqual([first]);
    expect(ids(await list('?status=in_progress,completed,failed,cancelled'))).toEqual([]);
    // Cancelled before it ran, it is gone.
    expect((await post(`/api/jobs/${first}/cancel`)).json).toEqual({ cancelled: true });
    expect((await post(`/api/jobs/${first}/cancel`)).json).toEqual({ cancelled: false });
    expect(await get(`/api/jobs/${first}`)).toMatchObject({ status: 404, json: { error: 'Job not found' } });
    expect((await post('/api/jobs/cancel', { job_ids: [first, second, randomUUID()] })).json).toEqual({
      cancelled: true,
    });
    expect(ids(await list())).toEqual([]);
  });

  test('of others is not there', async () => {
    const wire = guardedWire(rig);
    const [ada, bob] = await Promise.all([createKey(rig, 'ada'), createKey(rig, 'bob')]);
    const id = randomUUID();
    const as = (key: string) => ({ headers: { 'x-api-key': key } });
    await call(wire, 'POST /prompt', { json: { prompt: small('hers'), prompt_id: id }, ...as(ada) });
    expect((await call(wire, `GET /api/jobs/${id}`, as(bob))).status).toBe(404);
    expect((await call(wire, `POST /api/jobs/${id}/cancel`, as(bob))).json).toEqual({ cancelled: false });
    expect((await call(wire, 'GET /api/jobs', as(bob))).json['jobs']).toEqual([]);
    expect((await call(wire, `POST /api/jobs/${id}/cancel`, as(ada))).json).toEqual({ cancelled: true });
    const reader = await createKey(rig, 'ada', ['read']);
    expect((await call(wire, `POST /api/jobs/${id}/cancel`, as(reader))).status).toBe(403);
  });
});

test.each([
  ['GET /api/jobs?status=bogus', 400],
  ['GET /api/jobs?sort_by=name', 400],
  ['GET /api/jobs?sort_order=up', 400],
  ['GET /api/jobs?limit=0', 400],
  ['GET /api/jobs?limit=many', 400],
  ['GET /api/jobs?offset=x', 400],
  ['GET /api/jobs?offset=-5&limit=99999', 200],
  ['GET /api/jobs/abc', 404],
  ['POST /api/jobs/abc/cancel', 200],
  ['POST /api/jobs/cancel', 400],
  ['GET /jobs', 404],
])('%s answers %i', async (route, status) => {
  const answer = await call(rig.wire, route);
  expect(answer.status).toBe(status);
  if (status === 400) expect(answer.json).toMatchObject({ error: expect.any(String) });
});

test('ids that are none are named', async () => {
  expect(await post('/api/jobs/cancel', { job_ids: ['abc', 7] })).toMatchObject({
    status: 400,
    json: { invalid_ids: ['abc', 7] },
  });
});

describe('what has ended', () => {
  beforeAll(() => rig.addHost({ comfyui: { stepMs: 1 } }));

  test('has its times and an output to show; alone, all that the history has', async () => {
    const id = await send(small('ends'));
    const whole = await ended(id);
    const { json: history } = await get(`/history/${id}`);
    const entry = history[id] as { outputs: Json; status: Json; prompt: unknown[] };
    const { outputs, execution_status: status, workflow, ...listed } = whole;
    expect(outputs).toEqual(entry.outputs);
    expect(status).toEqual(entry.status);
    expect(workflow).toEqual({ prompt: entry.prompt[2], extra_data: entry.prompt[3] });
    const [image] = (entry.outputs['11'] as Record<string, Json[]>)['images']!;
    expect(listed).toEqual({
      id,
      status: 'completed',
      priority: expect.any(Number),
      create_time: listed['priority'],
      execution_start_time: expect.any(Number),
      execution_end_time: expect.any(Number),
      outputs_count: 1,
      previewable_outputs_count: 1,
      preview_output: { ...image, nodeId: '11', mediaType: 'images' },
    });
    expect((await list('?status=completed&limit=1')).jobs).toEqual([listed]);
    expect((await post(`/api/jobs/${id}/cancel`)).json).toEqual({ cancelled: false });
    expect(ids(await list('?sort_by=execution_duration&status=completed'))).toContain(id);
  });

  test('a text that a node showed is a preview and no output', async () => {
    const id = await send({
      '1': { class_type: 'PreviewAny', inputs: { source: 'x'.repeat(2000) } },
    });
    const whole = await ended(id);
    expect(whole).toMatchObject({
      status: 'completed',
      outputs_count: 0,
      preview_output: { content: 'x'.repeat(1024), truncated: true, nodeId: '1', mediaType: 'text' },
    });
  });

  test('a node that failed is in the error', async () => {
    const form = new FormData();
    form.append('image', new Blob(['no image']), 'broken.png');
    await call(rig.wire, 'POST /upload/image', { body: form });
    const id = await send({
      '1': { class_type: 'LoadImage', inputs: { image: 'broken.png' } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'E' } },
    });
    expect(await ended(id)).toMatchObject({
      status: 'failed',
      execution_error: { prompt_id: id, node_id: '1', node_type: 'LoadImage' },
    });
    expect(ids(await list('?status=failed'))).toEqual([id]);
    expect(ids(await list('?status=cancelled'))).toEqual([]);
  });
});
