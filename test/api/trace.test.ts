// A trace goes from a request to its job, its host and its webhook, by whichever of the APIs it came.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DeliveryRig, startDeliveryRig } from '../webhooks/rig.ts';
import { call, type Json } from './support.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'rojo=1, congo=2' };

let rig: DeliveryRig;
const lines: Json[] = [];
beforeAll(async () => {
  rig = await startDeliveryRig({ onLog: (line) => lines.push(JSON.parse(line) as Json) });
});
afterAll(() => rig.close());

const graph = { 1: { class_type: 'EmptyImage', inputs: {} }, 2: { class_type: 'PreviewImage', inputs: {} } };
const byName: Record<string, (headers: Record<string, string>) => Promise<{ status: number; json: Json }>> = {
  'the API': (more) => call(rig.app, 'POST /api/generate', { json: { prompt: 'a fox' }, headers: more }),
  'the Comfy API v2': (more) =>
    call(rig.app, 'POST /api/v2/jobs', { json: { workflow: graph }, headers: more }),
  'RunPod’s': (more) =>
    call(rig.app, 'POST /v2/comfyui/run', { json: { input: { workflow: graph } }, headers: more }),
  'ComfyUI’s wire': (more) => call(rig.wire, 'POST /prompt', { json: { prompt: graph }, headers: more }),
};

describe.each(Object.keys(byName))('a job of %s', (name) => {
  const accepted = async (more: Record<string, string>) => {
    const before = lines.length;
    const { status, json } = await byName[name]!(more);
    if (status >= 300) throw new Error(JSON.stringify(json));
    const line = lines.slice(before).find(({ event }) => event === 'job.accepted')!;
    return { jobId: String(line['jobId']), line };
  };

  test('has the trace of its request', async () => {
    const { jobId, line } = await accepted(headers);
    expect((await rig.store.jobs.readRequest(jobId))?.trace).toEqual({
      parent: headers.traceparent,
      state: 'rojo=1,congo=2',
    });
    expect((await rig.status(jobId))['trace_id']).toBe(TRACE);
    expect(line['traceId']).toBe(TRACE);
  });

  test('has one of its own where its request has none that is valid', async () => {
    const { jobId } = await accepted({ ...headers, traceparent: headers.traceparent.toUpperCase() });
    expect((await rig.store.jobs.readRequest(jobId))?.trace).toBeUndefined();
    expect((await rig.status(jobId))['trace_id']).toBe(jobId.replaceAll('-', ''));
  });
});

test('a repetition belongs to the trace of the request that was accepted', async () => {
  const asked = { json: { prompt: 'once' }, headers: { ...headers, 'Idempotency-Key': 'once' } };
  const first = await call(rig.app, 'POST /api/generate', asked);
  const again = await call(rig.app, 'POST /api/generate', {
    ...asked,
    headers: { ...asked.headers, traceparent: `00-${'a'.repeat(32)}-00f067aa0ba902b7-01` },
  });
  expect([first.json['trace_id'], again.json['trace_id']]).toEqual([TRACE, TRACE]);
  expect(again.json['job_id']).toBe(first.json['job_id']);
});

test('the host, ComfyUI and the webhook get it, and each line of the log about them has it', async () => {
  const { comfyui } = await rig.addHost();
  const { json } = await call(rig.app, 'POST /api/generate', {
    json: { prompt: 'a fox', webhook_url: rig.receiver.url },
    headers,
  });
  const jobId = String(json['job_id']);
  await rig.until(jobId, ['completed']);
  const history = await (await fetch(`${comfyui.url}/history`)).text();
  expect(history).toContain(`"trace_id":"${TRACE}"`);

  await rig.round();
  const [got] = await rig.receiver.until(1);
  expect(got!.headers['traceparent']).toMatch(
    new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
  );
  expect(got!.headers['tracestate']).toBe('rojo=1,congo=2');
  const all = [...lines, ...rig.lines.map((line) => JSON.parse(line) as Json)];
  const traced = all.filter((line) => line['jobId'] === jobId && line['traceId'] === TRACE);
  expect(traced.map(({ event }) => event)).toEqual([
    'job.accepted',
    'job.claimed',
    'job.completed',
    'webhook.delivered',
  ]);
});

test('the line of a request has the trace that it came with', async () => {
  await rig.app.request('/api/health', { headers });
  expect(lines.at(-1)).toMatchObject({ event: 'request.answered', traceId: TRACE });
  await rig.app.request('/api/health');
  expect(lines.at(-1)).not.toHaveProperty('traceId');
});
