// RunPod's endpoints over the same jobs: a run, its status and result in the shapes of RunPod and worker-comfyui, and what is refused.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobIdFrom } from '../../../functions/core/names.ts';
import type { Graph } from '../../../functions/core/object-info.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import {
  anotherProcess,
  type Answer,
  call,
  countStored,
  eventually,
  type Json,
  putJob,
  SETTINGS,
} from '../support.ts';
import { picture, reading, small } from '../v2/support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const post = (path: string, json: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  call(rig.app, `POST /v2/${path}`, { json, headers });
const get = (path: string): Promise<Answer> => call(rig.app, `GET /v2/${path}`);
const graph = (prompt: string, more: Json = {}) => ({ input: { workflow: small(prompt), ...more } });
const base64 = (bytes: Buffer) => bytes.toString('base64');

function ended(id: string): Promise<Json> {
  return eventually(`the end of ${id}`, async () => {
    const { json } = await get(`comfyui/status/${id}`);
    return ['IN_QUEUE', 'IN_PROGRESS'].includes(String(json['status'])) ? undefined : json;
  });
}

interface OutputFile {
  filename: string;
  type: string;
  data: string;
}
const imagesOf = ({ output }: Json) => (output as { images: OutputFile[] }).images;

describe('while no host is there', () => {
  test('a graph is IN_QUEUE, and is the same job to the guide’s API', async () => {
    const { status, json } = await post('comfyui/run', graph('a fox', { metadata: { project: 'spring' } }));
    expect(status).toBe(200);
    const id = String(json['id']);
    expect(json).toEqual({ id, status: 'IN_QUEUE' });
    expect((await get(`comfyui/status/${id}`)).json).toEqual(json);
    expect((await get(`comfyui/status/${id.toUpperCase()}`)).json).toEqual(json);
    expect(await rig.status(id)).toMatchObject({ status: 'queued', metadata: { project: 'spring' } });
  });

  test('runsync answers with the id when its wait is over, and at once where nothing may be held', async () => {
    const { json } = await post('comfyui/runsync?wait=1000', graph('waits'));
    expect(json).toEqual({ id: expect.any(String), status: 'IN_QUEUE' });
    const none = anotherProcess(rig, { settings: { ...SETTINGS, openConnections: 0 } });
    const since = performance.now();
    const at = await call(none, 'POST /v2/comfyui/runsync', { json: graph('waits too') });
    expect(at.json).toEqual({ id: expect.any(String), status: 'IN_QUEUE' });
    expect(performance.now() - since).toBeLessThan(900);
  });

  test('what clients ask again at once takes a second there', async () => {
    const none = anotherProcess(rig, { settings: { ...SETTINGS, openConnections: 0 } });
    const { id } = (await post('comfyui/run', graph('paced'))).json;
    for (const path of ['status-sync', 'stream']) {
      const since = performance.now();
      const { json } = await call(none, `GET /v2/comfyui/${path}/${String(id)}`);
      expect(json['status']).toBe('IN_QUEUE');
      expect(performance.now() - since).toBeGreaterThan(950);
    }
  });

  test('a repeated run with the same key is one job, and with another body none', async () => {
    const key = { 'Idempotency-Key': 'once' };
    const first = await post('comfyui/run', graph('once'), key);
    const again = await post('comfyui/run', graph('once'), key);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await post('comfyui/run', graph('other'), key)).toMatchObject({
      status: 422,
      json: { code: 'idempotency_mismatch' },
    });
  });

  test('a policy is kept to: a limit of its own, and the place after one’s other jobs', async () => {
    const policy = { executionTimeout: 6000, lowPriority: true, ttl: 86_400_000 };
    for (const [endpoint, body] of [
      ['comfyui', { ...graph('limited'), policy }],
      ['flux2_turbo_default', { input: { prompt: 'limited' }, policy }],
    ] as const) {
      const { status, json } = await post(`${endpoint}/run`, body);
      expect(status).toBe(200);
      const id = String(json['id']);
      expect(await rig.store.jobs.readState(id)).toMatchObject({ runLimit: 6000 });
      expect(await rig.status(id)).toMatchObject({ priority: 'low' });
      await post(`comfyui/cancel/${id}`, {});
    }
    const key = { 'Idempotency-Key': 'with-a-policy' };
    await post('comfyui/run', { ...graph('p'), policy }, key);
    expect((await post('comfyui/run', { ...graph('p'), policy }, key)).status).toBe(200);
    expect((await post('comfyui/run', graph('p'), key)).json).toMatchObject({ code: 'idempotency_mismatch' });
  });

  test('null stands for nothing', async () => {
    const none = { executionTimeout: null, ttl: null, lowPriority: null };
    for (const policy of [null, {}, none])
      expect(
        (await post('comfyui/run', { ...graph('null'), webhook: null, s3Config: null, policy })).status,
      ).toBe(200);
  });

  test('input.priority is a graph’s too', async () => {
    const { json } = await post('comfyui/run', graph('first', { priority: 'high' }));
    expect(await rig.status(String(json['id']))).toMatchObject({ priority: 'high' });
  });

  test('cancelled, and its times; a second time too', async () => {
    const { id } = (await post('comfyui/run', graph('to be cancelled'))).json;
    for (const _ of [1, 2]) {
      const { status, json } = await call(rig.app, `POST /v2/comfyui/cancel/${String(id)}`);
      expect({ status, json }).toEqual({ status: 200, json: { id, status: 'CANCELLED' } });
    }
    expect((await get(`comfyui/status/${String(id)}`)).json).toEqual({
      id,
      status: 'CANCELLED',
      delayTime: expect.any(Number),
    });
  });

  test('the queue is purged of the caller’s own jobs alone', async () => {
    const theirs = await putJob(rig, { owner: 'another' });
    const { id } = (await post('comfyui/run', graph('to be purged'))).json;
    const before = (await get('comfyui/health')).json as { jobs: { inQueue: number } };
    expect(before.jobs.inQueue).toBeGreaterThan(0);
    const { json } = await post('comfyui/purge-queue', {});
    expect(json).toEqual({ removed: before.jobs.inQueue, status: 'completed' });
    expect((await get(`comfyui/status/${String(id)}`)).json).toMatchObject({ status: 'CANCELLED' });
    expect((await rig.store.jobs.readState(theirs))?.status).toBe('queued');
    await rig.store.jobs.write(theirs, (await import('../../../functions/core/job.ts')).cancel(0, undefined));
  });

  test.each([
    [{ status: 'failed', state: { errorCode: 'expired', error: 'Too late' } }, 'TIMED_OUT'],
    [{ status: 'failed', state: { errorCode: 'took_too_long', error: 'Too long' } }, 'TIMED_OUT'],
    [{ status: 'failed', state: { errorCode: 'node_failed', error: 'Node 8' } }, 'FAILED'],
  ] as const)('%j is %s, with its reason', async (job, status) => {
    const id = await putJob(rig, job);
    const { json } = await get(`comfyui/status/${id}`);
    expect(json).toEqual({ id, status, delayTime: 1, error: job.state.error });
    expect(await post(`comfyui/retry/${id}`, {})).toMatchObject({
      status: 409,
      json: { code: 'already_ended' },
    });
    expect((await post(`comfyui/cancel/${id}`, {})).json).toEqual({ id, status });
  });

  test('times are of the record', async () => {
    const state = { createdAt: 1_000, startedAt: 4_000, endedAt: 9_500 };
    const id = await putJob(rig, { status: 'failed', state: { ...state, errorCode: 'node_failed' } });
    expect((await get(`comfyui/status/${id}`)).json).toMatchObject({
      delayTime: 3_000,
      executionTime: 5_500,
    });
  });
});

const PDF = Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', 'latin1');
const image = () => base64(picture());
/** With a name that assignment would make its prototype. */
const hostile = (body: object) => ({ ...body, ['__proto__']: { polluted: true } });
const canvas = { nodes: [], links: [], version: 0.4 };

describe('what is refused leaves nothing behind', () => {
  test.each<[string, unknown, number, string, string | undefined]>([
    ['nowhere/run', graph('a'), 404, 'workflow_not_found', 'endpoint'],
    ['comfyui/run', {}, 400, 'missing_field', 'input'],
    ['comfyui/run', { input: {} }, 400, 'missing_field', 'input.workflow'],
    ['comfyui/run', { input: [] }, 400, 'invalid_field', 'input'],
    ['comfyui/run', { input: 'no JSON' }, 400, 'invalid_field', 'input'],
    ['comfyui/run', { input: { workflow: canvas } }, 400, 'invalid_field', 'input.workflow'],
    ['comfyui/run', { input: { workflow: {} } }, 400, 'invalid_field', 'input.workflow'],
    ['comfyui/run', { input: { workflow: { 1: {} } } }, 400, 'invalid_field', 'input.workflow'],
    ['comfyui/run', { input: { workflow: 'nothing' } }, 400, 'unknown_workflow', 'workflow'],
    ['comfyui/run', graph('a', { seed: 1 }), 400, 'unknown_field', 'input.seed'],
    ['comfyui/run', graph('a', { comfy_org_api_key: 'k' }), 400, 'invalid_field', 'input.comfy_org_api_key'],
    ...[5, {}, 'example.com', 'ftp://example.com', 'http://example.com', 'https://u:p@example.com'].map(
      (webhook): [string, unknown, number, string, string] => [
        'comfyui/run',
        { ...graph('a'), webhook },
        400,
        'invalid_field',
        'webhook',
      ],
    ),
    [
      'flux2_turbo_default/run',
      { input: { prompt: 'a', webhook_url: 'https://example.com/a' }, webhook: 'https://example.com/b' },
      400,
      'invalid_field',
      'webhook',
    ],
    [
      'comfyui/run',
      { ...graph('a', { webhook_url: 'https://example.com/a' }), webhook: 'https://example.com/a' },
      400,
      'invalid_field',
      'webhook',
    ],
    ['comfyui/run', { ...graph('a'), s3Config: {} }, 400, 'invalid_field', 's3Config'],
    ['comfyui/run', { ...graph('a'), policy: { ttl: 10_000 } }, 400, 'invalid_field', 'policy.ttl'],
    ['comfyui/run', { ...graph('a'), policy: { soon: true } }, 400, 'unknown_field', 'policy.soon'],
    ['comfyui/run', { ...graph('a'), later: true }, 400, 'unknown_field', 'later'],
    ['comfyui/runsync?wait=10', graph('a'), 400, 'invalid_field', 'wait'],
    ['comfyui/runsync?wait=300001', graph('a'), 400, 'invalid_field', 'wait'],
    ['flux2_turbo_default/run', graph('a'), 400, 'invalid_field', 'input.workflow'],
    ['flux2_turbo_default/run', { input: { prompt: '' } }, 400, 'missing_field', 'prompt'],
    [
      'flux2_turbo_default/run',
      { input: { prompt: 'a', workflow: 'x' } },
      400,
      'invalid_field',
      'input.workflow',
    ],
    [
      'flux2_turbo_default/run',
      { input: { prompt: 'a', images: [{ name: 'a.png', image: image() }] } },
      400,
      'invalid_field',
      'input.images[0].name',
    ],
    ['comfyui/run', graph('a', { images: {} }), 400, 'invalid_field', 'input.images'],
    ['comfyui/run', graph('a', { images: [{ name: 'a.png' }] }), 400, 'invalid_field', 'input.images[0]'],
    ['comfyui/run', graph('a', { images: [null] }), 400, 'invalid_field', 'input.images[0]'],
    [
      'comfyui/run',
      graph('a', { images: [{ name: '../a.png', image: image() }] }),
      400,
      'invalid_field',
      'input.images[0].name',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'b/../a.png', image: image() }] }),
      400,
      'invalid_field',
      'input.images[0].name',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: '/etc/a.png', image: image() }] }),
      400,
      'invalid_field',
      'input.images[0].name',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: '{not base64}' }] }),
      400,
      'invalid_field',
      'input.images[0].image',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: '' }] }),
      400,
      'invalid_field',
      'input.images[0].image',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: base64(PDF) }] }),
      400,
      'invalid_field',
      'input.images[0].image',
    ],
    [
      'comfyui/run',
      graph('a', { images: [1, 2].map(() => ({ name: 'a.png', image: image() })) }),
      400,
      'invalid_field',
      'input.images[1].name',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: `rubbish!!,${image()}` }] }),
      400,
      'invalid_field',
      'input.images[0].image',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: `data:image/png,${image()}` }] }),
      400,
      'invalid_field',
      'input.images[0].image',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: base64(picture().subarray(0, -20)) }] }),
      400,
      'invalid_image',
      'input.images[0].image',
    ],
    [
      'comfyui/run',
      graph('a', { images: [{ name: 'a.png', image: image(), kind: 'mask' }] }),
      400,
      'unknown_field',
      'input.images[0].kind',
    ],
    [
      'flux2_turbo_controlnet/run',
      { input: { prompt: 'a', image: `data:image/png;base64,${base64(picture().subarray(0, -20))}` } },
      400,
      'invalid_image',
      'input.image',
    ],
    [
      'flux2_turbo_controlnet/run',
      { input: { prompt: 'a', image: `x!,${image()}` } },
      400,
      'invalid_field',
      'image',
    ],
    ['comfyui/run', hostile({ input: { workflow: small('a') } }), 400, 'unknown_field', '__proto__'],
    ['comfyui/run', { input: hostile({ workflow: small('a') }) }, 400, 'unknown_field', 'input.__proto__'],
    [
      'comfyui/run',
      graph('a', { images: [hostile({ name: 'a.png', image: image() })] }),
      400,
      'unknown_field',
      'input.images[0].__proto__',
    ],
    ['comfyui/run', { ...graph('a'), policy: hostile({}) }, 400, 'unknown_field', 'policy.__proto__'],
    ['flux2_turbo_default/run', { input: hostile({ prompt: 'a' }) }, 400, 'unknown_field', '__proto__'],
    ['comfyui/run', graph('a', { priority: 'urgent' }), 400, 'invalid_field', 'priority'],
    ...[5000, 3_600_001, 6000.5, '6000', true].map(
      (executionTimeout): [string, unknown, number, string, string] => [
        'comfyui/run',
        { ...graph('a'), policy: { executionTimeout } },
        400,
        'invalid_field',
        'policy.executionTimeout',
      ],
    ),
    [
      'comfyui/run',
      { ...graph('a'), policy: { lowPriority: 'yes' } },
      400,
      'invalid_field',
      'policy.lowPriority',
    ],
    [
      'comfyui/run',
      { ...graph('a', { priority: 'high' }), policy: { lowPriority: true } },
      400,
      'invalid_field',
      'policy.lowPriority',
    ],
    ['comfyui/run', { ...graph('a'), policy: [] }, 400, 'invalid_field', 'policy'],
  ])('%s %#', async (path, body, status, code, field) => {
    const before = await countStored(rig);
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status, json: { code, details: { field } } });
    expect(await countStored(rig)).toEqual(before);
  });

  test('30 MB of base64: 413, whatever stands before it', async () => {
    const images = [{ name: 'a.png', image: 'A'.repeat(30 * 1024 * 1024) }];
    expect(await post('comfyui/run', graph('a', { images }))).toMatchObject({
      status: 413,
      json: { code: 'body_too_large' },
    });
  });

  test('another owner’s id, one that there is not, and one that is none', async () => {
    const theirs = await putJob(rig, { owner: 'another', status: 'completed' });
    const app = anotherProcess(rig, {
      admit: (c, next) => {
        c.set('caller', { owner: 'alice', scopes: ['generate', 'graphs', 'read'] });
        return next();
      },
    });
    for (const id of [theirs, crypto.randomUUID(), 'sync-none'])
      for (const what of ['GET status', 'GET status-sync', 'GET stream', 'POST cancel', 'POST retry']) {
        const [method, name] = what.split(' ');
        const answer = await call(app, `${method} /v2/comfyui/${name}/${id}`);
        expect({ what, ...answer }).toMatchObject({ status: 404, json: { code: 'job_not_found' } });
      }
  });

  test('a key without the scope graphs may run workflows, and no graphs', async () => {
    const app = anotherProcess(rig, {
      admit: (c, next) => {
        c.set('caller', { owner: 'bob', scopes: ['generate'] });
        return next();
      },
    });
    expect(await call(app, 'POST /v2/comfyui/run', { json: graph('a') })).toMatchObject({
      status: 403,
      json: { code: 'forbidden', details: { scope: 'graphs' } },
    });
    const input = { prompt: 'a fox' };
    expect((await call(app, 'POST /v2/flux2_turbo_default/run', { json: { input } })).status).toBe(200);
  });

  test('ids and endpoints of any length and kind are none', async () => {
    const odd = [
      'x'.repeat(10_000),
      '%00',
      '%2e%2e%2fetc',
      '__proto__',
      'constructor',
      '%F0%9F%A6%8A',
      '-1',
      '1e999',
    ];
    for (const one of odd) {
      expect(await get(`comfyui/status/${one}`)).toMatchObject({
        status: 404,
        json: { code: 'job_not_found' },
      });
      expect(await post(`${one}/run`, graph('a'))).toMatchObject({
        status: 404,
        json: { code: 'workflow_not_found', error: expect.stringContaining('flux2_turbo_default') },
      });
    }
  });

  test('a hundred at once with one key are one job', async () => {
    const key = { 'Idempotency-Key': 'a-hundred' };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => post('comfyui/run', graph('one of a hundred'), key)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
    expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(1);
  });

  test('methods and addresses that there are not', async () => {
    for (const route of ['GET /v2/comfyui/run', 'POST /v2/comfyui/health', 'DELETE /v2/comfyui/status/x'])
      expect(await call(rig.app, route)).toMatchObject({ status: 405, json: { code: 'method_not_allowed' } });
    expect(await call(rig.app, 'POST /v2/comfyui')).toMatchObject({
      status: 404,
      json: { code: 'route_not_found' },
    });
  });
});

describe('with a host', () => {
  beforeAll(async () => {
    await post('comfyui/purge-queue', {});
    await rig.addHost();
  });

  test('runsync answers with the images in base64, and true times', async () => {
    const since = Date.now();
    const { status, json } = await post('comfyui/runsync', graph('held'));
    const took = Date.now() - since;
    expect(status).toBe(200);
    expect(json).toMatchObject({
      status: 'COMPLETED',
      delayTime: expect.any(Number),
      executionTime: expect.any(Number),
    });
    expect(Number(json['delayTime']) + Number(json['executionTime'])).toBeLessThanOrEqual(took + 50);
    const [made] = imagesOf(json);
    expect(made).toMatchObject({ filename: expect.stringMatching(/\.png$/), type: 'base64' });
    expect(Buffer.from(made!.data, 'base64').subarray(1, 4).toString()).toBe('PNG');
    expect((await get(`comfyui/status/${String(json['id'])}`)).json).toEqual(json);
    expect((await get(`comfyui/status-sync/${String(json['id'])}?wait=1000`)).json).toEqual(json);
  });

  test('a client that leaves runsync leaves its job alone', async () => {
    const leaving = new AbortController();
    const body = { ...graph('left alone'), policy: { executionTimeout: 60_000 } };
    const key = { 'Idempotency-Key': 'left-alone' };
    const held = fetch(`${rig.url}/v2/comfyui/runsync`, {
      method: 'POST',
      headers: { ...key, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      signal: leaving.signal,
    }).catch((error: unknown) => (error as Error).name);
    const id = jobIdFrom({ owner: 'local', key: 'left-alone' });
    await eventually('the job', () => rig.store.jobs.readState(id));
    leaving.abort();
    expect(await held).toBe('AbortError');
    const again = await call(rig.app, 'POST /v2/comfyui/runsync', { json: body, headers: key });
    expect(again.json).toMatchObject({ id, status: 'COMPLETED' });
  });

  test('a workflow by its endpoint, and by its name', async () => {
    const input = { prompt: 'a fox', width: 256, height: 256, steps: 4 };
    for (const [endpoint, more] of [
      ['flux2_turbo_default', {}],
      ['comfyui', { workflow: 'flux2_turbo_default' }],
    ] as const) {
      const { json } = await post(`${endpoint}/runsync`, { input: { ...input, ...more } });
      expect(json['status']).toBe('COMPLETED');
      expect(await rig.status(String(json['id']))).toMatchObject({
        workflow: 'flux2_turbo_default',
        prompt: 'a fox',
      });
    }
  });

  test('only an input that takes an image is one: a prompt that reads like its name stays', async () => {
    const { json } = await post('flux2_turbo_controlnet/runsync', {
      input: {
        prompt: 'cat.png',
        image: 'cat.png',
        images: [{ name: 'cat.png', image: image() }],
        width: 256,
        height: 256,
        steps: 4,
      },
    });
    expect(json['status']).toBe('COMPLETED');
    expect(await rig.status(String(json['id']))).toMatchObject({ prompt: 'cat.png' });
  });

  test('the stream gives the output once', async () => {
    const { id } = (await post('comfyui/run', graph('streamed'))).json;
    const first = (await get(`comfyui/stream/${String(id)}`)).json;
    expect(first).toMatchObject({
      id,
      status: 'COMPLETED',
      stream: [{ output: { images: [{ type: 'base64' }] } }],
    });
    expect((await get(`comfyui/stream/${String(id)}`)).json).toMatchObject({
      status: 'COMPLETED',
      stream: [],
    });
  });

  test('two jobs at once with different images of one name get their own', async () => {
    const pictures = [picture(), picture()];
    const runs = await Promise.all(
      pictures.map((bytes, index) =>
        post('comfyui/runsync', {
          input: {
            workflow: reading('input.png'),
            images: [
              { name: 'input.png', image: (index === 0 ? 'data:image/png;base64,' : '') + base64(bytes) },
            ],
          },
        }),
      ),
    );
    const requests = await Promise.all(
      runs.map(({ json }) => rig.store.jobs.readRequest(String(json['id']))),
    );
    for (const [index, request] of requests.entries()) {
      expect(runs[index]!.json['status']).toBe('COMPLETED');
      const [{ key, to }] = request!.staging as [{ key: string; to: string[] }];
      expect(to).toEqual(['1.image']);
      const stored = await rig.images.get(key);
      const bytes = await new Response((stored as { body: ReadableStream }).body).arrayBuffer();
      expect(Buffer.from(bytes).equals(pictures[index]!)).toBe(true);
    }
  });

  test('an image that no node has is what ComfyUI would say', async () => {
    const missing = await post('comfyui/run', { input: { workflow: reading('absent.png') } });
    expect(missing).toMatchObject({
      status: 400,
      json: {
        code: 'invalid_field',
        error: expect.stringMatching(/^Workflow validation failed: \n• Node 1 \(/),
        details: { field: 'input.workflow', node_errors: { 1: expect.anything() } },
      },
    });
    const unknown: Graph = { ...small('x'), 90: { class_type: 'NoSuchNode', inputs: {} } };
    expect(await post('comfyui/run', { input: { workflow: unknown } })).toMatchObject({ status: 400 });
  });

  test('s3_url by the setting: a link that gives the image', async () => {
    const app = anotherProcess(rig, { settings: { ...SETTINGS, runpodOutput: 's3_url' } });
    const { id } = (await post('comfyui/run', graph('linked'))).json;
    await ended(String(id));
    const { json } = await call(app, `GET /v2/comfyui/status/${String(id)}`);
    expect(imagesOf(json)).toEqual([
      { filename: expect.any(String), type: 's3_url', data: expect.stringMatching(/^https?:\/\//) },
    ]);
  });

  test('health counts hosts and the caller’s jobs', async () => {
    // A host says what it holds with its heartbeat.
    await expect
      .poll(async () => (await get('comfyui/health')).json, { timeout: 20_000 })
      .toMatchObject({
        jobs: {
          completed: expect.any(Number),
          failed: expect.any(Number),
          inProgress: 0,
          inQueue: 0,
          retried: 0,
        },
        workers: { initializing: 0, running: 0, throttled: 0, unhealthy: 0, idle: 1, ready: 1 },
      });
  });
});
