// ComfyUI's wire: prompts that become jobs or are refused as ComfyUI refuses them, and what the queue, the history and /view say of
// them. The traces of ComfyUI 0.33 are in test/traces.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringifyJson } from '../../../functions/core/json.ts';
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

const prompt = (body: unknown, headers: Record<string, string> = {}) =>
  call(rig.wire, 'POST /prompt', { json: body, headers });
const get = (path: string) => call(rig.wire, `GET ${path}`);

interface Entry {
  prompt: [number, string, Graph, Json, string[]];
  outputs: Record<string, Record<string, { filename: string; subfolder: string; type: string }[]>>;
  status: { status_str: string; completed: boolean; messages: [string, Json][] };
  meta: Json;
}

function entryOf(id: string): Promise<Entry> {
  return eventually(`the history of ${id}`, async () => {
    const { json } = await get(`/history/${id}`);
    return json[id] as Entry | undefined;
  });
}

describe('while no host is there', () => {
  test('a prompt is pending under the id that its client gave', async () => {
    const id = randomUUID();
    const graph = small('waits');
    const sent = { prompt: graph, prompt_id: id, client_id: 'me', extra_data: { job_id: 'j1' } };
    const { status, json } = await prompt(sent);
    expect(status).toBe(200);
    expect(json).toEqual({ prompt_id: id, number: expect.any(Number), node_errors: {} });
    expect((await get('/prompt')).json).toEqual({ exec_info: { queue_remaining: 1 } });
    const extraData = { job_id: 'j1', client_id: 'me', create_time: expect.any(Number) };
    for (const path of ['/queue', '/api/queue'])
      expect((await get(path)).json).toEqual({
        queue_running: [],
        queue_pending: [[json['number'], id, graph, extraData, []]],
      });
    expect((await get(`/history/${id}`)).json).toEqual({});
    expect((await get('/history')).json).toEqual({});
  });

  test('the same prompt id again is the same job, and with another graph it is refused', async () => {
    const id = randomUUID();
    const first = await prompt({ prompt: small('once'), prompt_id: id });
    expect((await prompt({ prompt: small('once'), prompt_id: id })).json).toEqual(first.json);
    const { status, json } = await prompt({ prompt: small('another'), prompt_id: id });
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { type: 'prompt_id_in_use' }, node_errors: {} });
    const { queue_pending: pending } = (await get('/queue')).json as { queue_pending: unknown[][] };
    expect(pending.filter(([, one]) => one === id)).toHaveLength(1);
  });

  test('without one the job’s id is the prompt’s, and a body of any type is taken', async () => {
    const { status, json } = await call(rig.wire, 'POST /api/prompt', {
      body: JSON.stringify({ prompt: small('no id'), prompt_id: null }),
      headers: { 'content-type': 'text/plain' },
    });
    expect(status).toBe(200);
    expect(await rig.status(String(json['prompt_id']))).toMatchObject({ status: 'queued' });
  });

  test.each([
    ['no_prompt', {}],
    ['prompt_no_outputs', { prompt: {} }],
    ['invalid_prompt_id', { prompt: small('x'), prompt_id: 'abc' }],
    ['invalid_prompt_id', { prompt: small('x'), prompt_id: randomUUID().toUpperCase() }],
    ['workflow_format_ui', { prompt: { nodes: [], links: [] } }],
    ['invalid_prompt', { prompt: 'a red fox' }],
    ['invalid_prompt', { prompt: { '1': { inputs: {} } } }],
    ['invalid_prompt', { prompt: small('x'), partial_execution_targets: '11' }],
    ['order_not_supported', { prompt: small('x'), number: -1 }],
    ['invalid_extra_data', { prompt: small('x'), extra_data: [] }],
    ['invalid_extra_data', { prompt: small('x'), extra_data: { api_key_comfy_org: 'secret' } }],
  ])('%s', async (type, body) => {
    const { status, json } = await prompt(body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: { type, message: expect.any(String) }, node_errors: {} });
  });

  test('what is no JSON, too deep, or too much beside the graph is refused', async () => {
    expect(await call(rig.wire, 'POST /prompt', { body: '{"prompt": ' })).toMatchObject({
      status: 400,
      json: { error: { type: 'invalid_json' } },
    });
    const deep = `${'{"deep":'.repeat(5000)}1${'}'.repeat(5000)}`;
    const body = `{"prompt":${JSON.stringify(small('x'))},"extra_data":${deep}}`;
    expect(await call(rig.wire, 'POST /prompt', { body })).toMatchObject({
      status: 400,
      json: { error: { type: 'invalid_extra_data' } },
    });
    const noise = Array.from({ length: 5000 }, () => randomUUID());
    expect(await prompt({ prompt: small('x'), extra_data: { noise } })).toMatchObject({
      status: 400,
      json: { error: { type: 'invalid_extra_data' } },
    });
  });

  test('an address that a fleet does not answer is said to be none', async () => {
    expect(await get('/userdata')).toMatchObject({
      status: 404,
      json: { error: { type: 'route_not_found' } },
    });
    expect(await call(rig.wire, 'DELETE /prompt')).toMatchObject({
      status: 405,
      json: { error: { type: 'method_not_allowed' } },
    });
  });
});

describe('with a host', () => {
  beforeAll(async () => {
    await rig.addHost();
    // No output is one only by what the host's nodes say.
    await eventually('the nodes of the host', async () => {
      const { json } = await prompt({ prompt: { '1': { class_type: 'EmptyImage' } } });
      return (json['error'] as Json)['type'] === 'prompt_no_outputs';
    });
  });

  test('a prompt runs, and its history has the files that /view gives', async () => {
    const graph = small('runs');
    const id = randomUUID();
    await prompt({ prompt: graph, prompt_id: id, client_id: 'me' });
    const entry = await entryOf(id);
    expect(entry.prompt).toEqual([
      expect.any(Number),
      id,
      graph,
      { client_id: 'me', create_time: entry.prompt[0] },
      ['11'],
    ]);
    expect(entry.status).toMatchObject({ status_str: 'success', completed: true });
    expect(entry.status.messages.map(([type]) => type)).toEqual([
      'execution_start',
      'execution_cached',
      'execution_success',
    ]);
    expect(entry.meta).toEqual({
      '11': { node_id: '11', display_node: '11', parent_node: null, real_node_id: '11' },
    });
    const [image, ...more] = entry.outputs['11']!['images']!;
    expect(more).toEqual([]);
    expect(image).toEqual({ filename: expect.any(String), subfolder: '', type: 'output' });
    const query = new URLSearchParams(image).toString();
    const answer = await rig.wire.request(`/view?${query}`);
    expect(answer.headers.get('content-type')).toBe('image/png');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    const part = await rig.wire.request(`/api/view?${query}`, {
      headers: { range: 'bytes=0-7' },
    });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(0, 8));
    expect(Object.keys((await get('/history?max_items=1')).json)).toHaveLength(1);
    expect((await get('/history')).json).toHaveProperty([id]);
  });

  test('images hold the canvas that came with the prompt, and no tag of a caller’s is the host’s', async () => {
    const canvas = { id: 'the-canvas', seed: 18446744073709551615n };
    const extra = { extra_pnginfo: { workflow: canvas }, comfyui_rest_api: { machine: 'forged' } };
    const id = randomUUID();
    const body = stringifyJson({ prompt: small('canvas'), prompt_id: id, extra_data: extra });
    expect((await call(rig.wire, 'POST /prompt', { body })).status).toBe(200);
    const { outputs, prompt: asked } = await entryOf(id);
    expect(asked[3]).toMatchObject({ comfyui_rest_api: { machine: 'forged' } });
    const query = new URLSearchParams(outputs['11']!['images']![0]);
    const bytes = Buffer.from(await (await rig.wire.request(`/view?${query.toString()}`)).arrayBuffer());
    expect(bytes.includes('"id": "the-canvas"') || bytes.includes('"id":"the-canvas"')).toBe(true);
    expect(bytes.includes('18446744073709551615')).toBe(true);
  });

  test('a job of the guide’s API is in the history under its own id', async () => {
    const jobId = await rig.generate();
    const { prompt, status } = await entryOf(jobId);
    expect(prompt[1]).toBe(jobId);
    expect(status.completed).toBe(true);
  });

  test('of two outputs of which one is refused, the other runs', async () => {
    const graph: Graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 7 } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Good' } },
      '3': { class_type: 'EmptyImage', inputs: { width: 0, height: 64, batch_size: 1, color: 7 } },
      '4': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'Bad' } },
    };
    const { status, json } = await prompt({ prompt: graph });
    expect(status).toBe(200);
    expect(json['node_errors']).toMatchObject({
      '3': {
        errors: [{ type: 'value_smaller_than_min' }],
        dependent_outputs: ['4'],
        class_type: 'EmptyImage',
      },
    });
    const entry = await entryOf(String(json['prompt_id']));
    expect(entry.status.status_str).toBe('success');
    expect(Object.keys(entry.outputs)).toEqual(['2']);
    expect(entry.prompt[4]).toEqual(['2']);
  });

  test('of what is asked for in part, only that runs', async () => {
    const graph: Graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 9 } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'One' } },
      '4': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Two' } },
    };
    const { json } = await prompt({ prompt: graph, partial_execution_targets: ['4'] });
    expect(Object.keys((await entryOf(String(json['prompt_id']))).outputs)).toEqual(['4']);
  });

  test('an unknown node and a bad value are refused in ComfyUI’s words', async () => {
    const graph = small('x');
    graph['8'] = { class_type: 'NoSuchSampler', inputs: graph['8']!.inputs };
    expect(await prompt({ prompt: graph })).toMatchObject({
      status: 400,
      json: {
        error: {
          type: 'missing_node_type',
          message: "Node 'NoSuchSampler' not found. The custom node may not be installed.",
          details: "Node ID '#8'",
        },
        node_errors: {},
      },
    });
    const low = small('x');
    low['8']!.inputs['steps'] = 0;
    expect(await prompt({ prompt: low })).toMatchObject({
      status: 400,
      json: {
        error: { type: 'prompt_outputs_failed_validation', message: 'Prompt outputs failed validation' },
        node_errors: { '8': { dependent_outputs: ['11'], class_type: 'KSampler' } },
      },
    });
  });

  test.each([
    ['/view', 404],
    ['/view?filename=absent.png', 404],
    ['/view?filename=../x.png', 400],
    ['/view?filename=x.png&subfolder=../..', 400],
    ['/view?filename=x.png&type=input', 404],
    ['/history?max_items=0', 400],
    ['/history?max_items=many', 400],
    [`/history/${randomUUID()}`, 200],
  ])('%s answers %i', async (path, status) => {
    expect((await get(path)).status).toBe(status);
  });
});

describe('with keys', () => {
  test('by header or address; owners see their own', async () => {
    const wire = guardedWire(rig);
    const [ada, bob] = await Promise.all([createKey(rig, 'ada'), createKey(rig, 'bob')]);
    const id = randomUUID();
    const sent = { prompt: small('hers'), prompt_id: id };
    expect(await call(wire, 'POST /prompt', { json: sent })).toMatchObject({
      status: 401,
      json: { error: { type: 'unauthorized' } },
    });
    const bearer = { authorization: `Bearer ${ada}` };
    expect((await call(wire, 'POST /prompt', { json: sent, headers: bearer })).status).toBe(200);
    const entry = await eventually('her history', async () => {
      const { json } = await call(wire, `GET /history/${id}?token=${ada}`);
      return json[id] as Entry | undefined;
    });
    const { filename } = entry.outputs['11']!['images']![0]!;
    const asBob = { 'x-api-key': bob };
    expect((await call(wire, `GET /history/${id}`, { headers: asBob })).json).toEqual({});
    expect((await call(wire, 'GET /history', { headers: asBob })).json).toEqual({});
    expect((await call(wire, `GET /view?filename=${filename}`, { headers: asBob })).status).toBe(404);
    expect((await wire.request(`/view?filename=${filename}&token=${ada}`)).status).toBe(200);
    // The id is hers: his prompt of the same id is another job.
    expect((await call(wire, 'POST /prompt', { json: sent, headers: asBob })).json).toMatchObject({
      prompt_id: id,
    });
  });
});
