// The jobs of the Comfy API v2: submitted, followed, listed, cancelled; and that they are the jobs of the guide's API.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventIdOf } from '../../../functions/core/event-id.ts';
import type { Graph } from '../../../functions/core/object-info.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, call, countStored, type Json, SETTINGS } from '../support.ts';
import { eventsOf, small, untilEnded } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const submit = (body: Json, headers: Record<string, string> = {}) =>
  call(rig.app, 'POST /api/v2/jobs', { json: body, headers });
const get = (path: string) => call(rig.app, `GET /api/v2${path}`);

describe('while no host is there', () => {
  test('a graph becomes a queued job, in the shape of the contract', async () => {
    const { status, json } = await submit({ workflow: small('a fox'), metadata: { project: 'spring' } });
    expect(status).toBe(201);
    const id = String(json['id']);
    expect(json).toEqual({
      id,
      status: 'queued',
      created_at: expect.any(String),
      started_at: null,
      completed_at: null,
      expires_at: expect.any(String),
      queue_position: 1,
      progress: null,
      outputs: [],
      error: null,
      metrics: { queue_ms: null, execution_ms: null },
      metadata: { project: 'spring' },
      urls: {
        self: `/api/v2/jobs/${id}`,
        events: `/api/v2/jobs/${id}/events`,
        cancel: `/api/v2/jobs/${id}/cancel`,
      },
    });
    expect((await get(`/jobs/${id}`)).json).toEqual(json);
    expect((await get(`/jobs/${id.toUpperCase()}`)).json).toEqual(json);
    expect((await get(`/jobs/${id}/workflow`)).json).toEqual({ workflow: small('a fox'), format: 'api' });
    expect((await rig.app.request(`/api/v2/jobs/${id}/logs`)).status).toBe(204);
    // The same job, as the guide's API shows it.
    expect(await rig.status(id)).toMatchObject({
      status: 'queued',
      workflow: '(graph)',
      prompt: '',
      metadata: { project: 'spring' },
    });
  });

  test('a cancelled one is canceled at once, and a second time', async () => {
    const { json } = await submit({ workflow: small('to be cancelled') });
    const { cancel } = json['urls'] as { cancel: string };
    for (const _ of [1, 2])
      expect(await call(rig.app, `POST ${cancel}`)).toMatchObject({
        status: 200,
        json: { id: json['id'], status: 'canceled', completed_at: expect.any(String) },
      });
    expect((await get(`/jobs/${String(json['id'])}/logs`)).json).toMatchObject({
      text: expect.stringMatching(/^\S+ accepted\n\S+ ended: cancelled\n$/),
      truncated: false,
      complete: true,
    });
    expect(await eventsOf(rig.app, String(json['id']))).toEqual([
      { event: 'status', data: { status: 'canceled', queue_position: null } },
    ]);
  });

  test('events go on from the last that was heard, at any server', async () => {
    const { json } = await submit({ workflow: small('heard') });
    const id = String(json['id']);
    const state = (await rig.store.jobs.readState(id))!;
    const other = anotherProcess(rig, { settings: { ...SETTINGS, openAtMost: 50 } });
    expect(await eventsOf(other, id)).toMatchObject([{ event: 'status', data: { status: 'queued' } }]);
    expect(await eventsOf(other, id, { 'last-event-id': eventIdOf(state) })).toEqual([]);
    await call(rig.app, `POST /api/v2/jobs/${id}/cancel`);
    const ended = eventIdOf((await rig.store.jobs.readState(id))!);
    const answer = await other.request(`/api/v2/jobs/${id}/events`, { headers: { 'last-event-id': ended } });
    expect(answer.status).toBe(204);
  });

  test('a job of the guide’s API is seen too, and cancelled', async () => {
    const id = await rig.generate({ metadata: { from: 'guide' } });
    expect((await get(`/jobs/${id}`)).json).toMatchObject({ status: 'queued', metadata: { from: 'guide' } });
    const { workflow } = (await get(`/jobs/${id}/workflow`)).json as { workflow: Graph };
    expect(Object.values(workflow).map((node) => node.class_type)).toContain('SaveImage');
    expect((await call(rig.app, `POST /api/v2/jobs/${id}/cancel`)).json).toMatchObject({
      status: 'canceled',
    });
  });

  test('a large graph lies in the bucket, and comes back as it was', async () => {
    const prompt = Array.from({ length: 60_000 }, (_, n) => ((n * 7919) % 9973).toString(36)).join('');
    const { json } = await submit({ workflow: small(prompt) });
    expect((await get(`/jobs/${String(json['id'])}/workflow`)).json['workflow']).toEqual(small(prompt));
    expect((await rig.store.jobs.readRequest(String(json['id'])))!.graph).toBeUndefined();
  });

  test('whole numbers of 64 bits come back exactly', async () => {
    const workflow = small('exact');
    const body = JSON.stringify({ workflow }).replace('"seed":1', '"seed":18446744073709551615');
    const answer = await rig.app.request('/api/v2/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const { id } = (await answer.json()) as { id: string };
    const text = await (await rig.app.request(`/api/v2/jobs/${id}/workflow`)).text();
    expect(text).toContain('"seed":18446744073709551615');
  });
});

describe('an Idempotency-Key', () => {
  test('that comes again with the same body is answered with the job that it made', async () => {
    const key = { 'idempotency-key': 'v2-once' };
    const body = { workflow: small('once'), metadata: { a: '1', b: '2' } };
    const first = await submit(body, key);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const stored = await countStored(rig);
    const again = await submit({ metadata: { b: '2', a: '1' }, workflow: small('once') }, key);
    expect(again).toMatchObject({ status: 201, json: { id: first.json['id'] } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await countStored(rig)).toEqual(stored);
  });

  test('of ten at the same moment makes one job', async () => {
    const key = { 'idempotency-key': 'v2-ten' };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => submit({ workflow: small('ten') }, key)),
    );
    expect(new Set(answers.map(({ status, json }) => `${status} ${String(json['id'])}`)).size).toBe(1);
  });

  test.each<[string, Json]>([
    ['another graph', { workflow: small('other') }],
    ['other labels', { workflow: small('mine'), metadata: { a: '1' } }],
  ])('with %s is refused', async (_, body) => {
    const key = { 'idempotency-key': 'v2-mine' };
    await submit({ workflow: small('mine') }, key);
    expect(await submit(body, key)).toMatchObject({
      status: 422,
      json: { error: { code: 'idempotency_key_reuse' } },
    });
  });

  test('of a request that was refused is free again', async () => {
    const key = { 'idempotency-key': 'v2-refused' };
    expect((await submit({ workflow: {} }, key)).status).toBe(422);
    expect((await submit({ workflow: small('now right') }, key)).status).toBe(201);
  });
});

describe('is refused, and nothing is stored', () => {
  const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  test.each<[string, number, string, Json]>([
    ['no workflow', 422, 'invalid_workflow', {}],
    ['a workflow that is a text', 422, 'invalid_workflow', { workflow: 'flux' }],
    ['a graph without nodes', 422, 'invalid_workflow', { workflow: {} }],
    ['a node that is a number', 422, 'invalid_workflow', { workflow: { '1': 5 } }],
    ['a node without inputs', 422, 'invalid_workflow', { workflow: { '1': { class_type: 'SaveImage' } } }],
    [
      'a graph that is nested a thousand levels',
      422,
      'invalid_workflow',
      { workflow: { '1': { class_type: 'A', inputs: { a: deep(1000) } } } },
    ],
    [
      'a canvas file',
      422,
      'workflow_format_ui',
      { workflow: { last_node_id: 1, nodes: [], links: [], version: 0.4 } },
    ],
    ['a webhook', 422, 'invalid_workflow', { workflow: small('x'), webhook_url: 'https://a.example/' }],
    ['inputs', 422, 'invalid_workflow', { workflow: small('x'), inputs: {} }],
    ['an unknown field', 422, 'invalid_workflow', { workflow: small('x'), prioritty: 'high' }],
    ['a bad label', 422, 'metadata_invalid', { workflow: small('x'), metadata: { 'a b': 'c' } }],
    ['labels in a list', 422, 'metadata_invalid', { workflow: small('x'), metadata: ['a'] }],
    [
      'a credential',
      422,
      'extra_data_not_supported',
      { workflow: small('x'), extra_data: { api_key_comfy_org: 'comfyui-secret' } },
    ],
    ['other extra data', 422, 'invalid_request', { workflow: small('x'), extra_data: { client_id: 'x' } }],
  ])('%s', async (_, status, code, body) => {
    const before = await countStored(rig);
    const answer = await submit(body);
    expect(answer).toMatchObject({
      status,
      json: { error: { code, message: expect.any(String) as string } },
    });
    expect(JSON.stringify(answer.json)).not.toContain('comfyui-secret');
    expect(await countStored(rig)).toEqual(before);
  });

  test.each<[string, string, RequestInit, number, string]>([
    [
      'no JSON',
      '/jobs',
      { body: '{', headers: { 'content-type': 'application/json' } },
      400,
      'invalid_request',
    ],
    [
      'another type',
      '/jobs',
      { body: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    [
      'over 4 MB',
      '/jobs',
      { body: `"${'x'.repeat(4_400_000)}"`, headers: { 'content-type': 'application/json' } },
      413,
      'payload_too_large',
    ],
    ['another address', '/nothing', { body: '' }, 404, 'not_found'],
    ['another method', '/jobs/x/workflow', { body: '' }, 405, 'method_not_allowed'],
  ])('%s', async (_, path, init, status, code) => {
    const answer = await rig.app.request(`/api/v2${path}`, { method: 'POST', ...init });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  test.each(['GET /jobs/x', 'GET /jobs/00000000-0000-8000-8000-000000000000', 'POST /jobs/x/cancel'])(
    '%s is a job that there is not',
    async (route) => {
      const [method, path] = route.split(' ');
      expect(await call(rig.app, `${method} /api/v2${path}`)).toMatchObject({
        status: 404,
        json: { error: { code: 'not_found' } },
      });
    },
  );

  test('too many waiting: 429 queue_full with Retry-After', async () => {
    const full = anotherProcess(rig, {
      settings: { ...SETTINGS, maxWaiting: 0 },
    });
    const answer = await call(full, 'POST /api/v2/jobs', { json: { workflow: small('x') } });
    expect(answer).toMatchObject({ status: 429, json: { error: { code: 'queue_full' } } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('the list', () => {
  const ids = ({ json }: { json: Json }) => (json['jobs'] as { id: string }[]).map(({ id }) => id);
  let mine: string[];
  beforeAll(async () => {
    mine = [];
    for (const n of [1, 2, 3, 4, 5, 6, 7]) {
      const metadata = { list: 'mine', odd: String(n % 2 === 1) };
      mine.unshift(String((await submit({ workflow: small(`listed ${n}`), metadata })).json['id']));
    }
    await call(rig.app, `POST /api/v2/jobs/${mine[2]}/cancel`);
  });

  test('shows all jobs, newest first, whatever became of them', async () => {
    const { json } = await get('/jobs?limit=7');
    expect(ids({ json })).toEqual(mine);
    const jobs = json['jobs'] as Json[];
    expect(jobs[2]).toEqual({
      id: mine[2],
      status: 'canceled',
      create_time: expect.any(String),
      update_time: expect.any(String),
      metadata: { list: 'mine', odd: 'true' },
    });
    expect(Object.keys(jobs[2]!)).not.toContain('outputs');
  });

  test.each([1, 2, 3, 7, 100])(
    'by pages of %i each job stands once, and the last page has no cursor',
    async (limit) => {
      for (const filter of ['', '&metadata%5Blist%5D=mine']) {
        const seen: string[] = [];
        const cursors = new Set<string>();
        for (let cursor: string | undefined = ''; cursor !== undefined;) {
          const page = await get(`/jobs?limit=${limit}${filter}${cursor && `&cursor=${cursor}`}`);
          expect(page.status).toBe(200);
          seen.push(...ids(page));
          cursor = page.json['next_cursor'] as string | undefined;
          if (cursor === undefined) break;
          expect(cursors.has(cursor)).toBe(false);
          cursors.add(cursor);
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.slice(0, 7)).toEqual(mine);
        if (filter) expect(seen).toEqual(mine);
      }
    },
  );

  test('by two labels shows what has both', async () => {
    expect(ids(await get('/jobs?metadata[list]=mine&metadata[odd]=false'))).toEqual([
      mine[1],
      mine[3],
      mine[5],
    ]);
    expect(ids(await get('/jobs?metadata[list]=other'))).toEqual([]);
  });

  test.each([
    ['metadata=x', 'invalid_metadata_filter'],
    ['metadata[]=x', 'invalid_metadata_filter'],
    ['metadata[a%20b]=x', 'invalid_metadata_filter'],
    ['metadata[a]=1&metadata[a]=2', 'invalid_metadata_filter'],
    ['metadata[a]=1&metadata[b]=2&metadata[c]=3&metadata[d]=4', 'invalid_metadata_filter'],
    [`metadata[a]=${'x'.repeat(257)}`, 'invalid_metadata_filter'],
    ['cursor=x', 'invalid_cursor'],
    ['cursor=', 'invalid_cursor'],
    ['limit=0', 'invalid_request'],
    ['limit=101', 'invalid_request'],
    ['limit=ten', 'invalid_request'],
  ])('?%s is refused', async (query, code) => {
    expect(await get(`/jobs?${query}`)).toMatchObject({ status: 400, json: { error: { code } } });
  });
});

describe('with a host', () => {
  let hosted: Rig;
  beforeAll(async () => {
    hosted = await startRig();
    await hosted.addHost();
  });
  afterAll(() => hosted.close());

  test('a job runs, tells how, and shows what it made', async () => {
    const { json } = await call(hosted.app, 'POST /api/v2/jobs', { json: { workflow: small('a fox') } });
    const id = String(json['id']);
    const events = await eventsOf(hosted.app, id);
    expect(events.at(-1)).toEqual({ event: 'status', data: { status: 'succeeded', queue_position: null } });
    expect(events.filter(({ event }) => event === 'output')).toHaveLength(1);
    const values = events.flatMap(({ event, data }) => (event === 'progress' ? [Number(data['value'])] : []));
    expect(values).toEqual([...values].sort((a, b) => a - b));
    const job = await untilEnded(hosted.app, id);
    expect(job).toMatchObject({
      status: 'succeeded',
      progress: {
        value: 1,
        nodes_done: Object.keys(small('')).length,
        nodes_total: Object.keys(small('')).length,
      },
      error: null,
      metrics: { queue_ms: expect.any(Number), execution_ms: expect.any(Number) },
    });
    const [output] = job['outputs'] as Json[];
    expect(output).toMatchObject({ node_id: '11', type: 'image', content_type: 'image/png', job_id: id });
    expect((await call(hosted.app, `GET /api/v2/jobs/${id}/logs`)).json).toMatchObject({ complete: true });
    // Again, after the end: the same end.
    expect((await eventsOf(hosted.app, id)).map(({ event }) => event)).toEqual([
      'progress',
      'output',
      'status',
    ]);
  });

  test('what a host refuses is refused at once, by node', async () => {
    const workflow = small('x') as Record<string, { class_type: string; inputs: Json }>;
    workflow['8']!.class_type = 'NoSuchSampler';
    const answer = await call(hosted.app, 'POST /api/v2/jobs', { json: { workflow } });
    expect(answer).toMatchObject({
      status: 422,
      json: { error: { code: 'invalid_workflow', details: { node_errors: { '8': expect.any(Array) } } } },
    });
  });
});
