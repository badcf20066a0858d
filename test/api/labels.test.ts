// Labels of the guide's API: sent with a job, shown wherever it is, part of what an idempotency key stands for.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { payloadOf } from '../../functions/webhooks/payload.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { call, type Json } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

const generate = (body: Json, headers: Record<string, string> = {}) =>
  call(rig.app, 'POST /api/generate', { json: { prompt: 'a fox', ...body }, headers });

test('they are shown by the status, the queue and the webhook of their job', async () => {
  const metadata = { project: 'spring', 'client.id': '42' };
  const jobId = String((await generate({ metadata })).json['job_id']);
  expect((await rig.status(jobId))['metadata']).toEqual(metadata);
  const queue = await call<{ jobs: Record<string, Json> }>(rig.app, 'GET /api/queue');
  expect(queue.json.jobs[jobId]!['metadata']).toEqual(metadata);
  await call(rig.app, `DELETE /api/queue/${jobId}`);
  const job = (await rig.store.jobs.read(jobId))!;
  expect(JSON.parse(payloadOf(job))).toMatchObject({ data: { metadata } });
});

test('a job without any shows none', async () => {
  const jobId = String((await generate({ metadata: null })).json['job_id']);
  expect((await rig.status(jobId))['metadata']).toEqual({});
});

test('a bad one is refused by its name, and nothing is stored', async () => {
  const { status, json } = await generate({ metadata: { 'a b': 'x' } }, { 'idempotency-key': 'bad-label' });
  expect({ status, json }).toMatchObject({
    status: 400,
    json: { code: 'invalid_field', details: { field: 'metadata.a b' } },
  });
  expect((await generate({ metadata: { nested: { deeply: [1] } } })).status).toBe(400);
});

test('a repetition has the same labels in any order; with others it is another request', async () => {
  const key = { 'idempotency-key': 'labelled' };
  const first = await generate({ metadata: { a: '1', b: '2' } }, key);
  expect((await generate({ metadata: { b: '2', a: '1' } }, key)).json).toEqual(first.json);
  for (const metadata of [{ a: '1', b: '3' }, { a: '1' }, undefined])
    expect(await generate({ ...(metadata && { metadata }) }, key)).toMatchObject({
      status: 422,
      json: { code: 'idempotency_mismatch' },
    });
});
