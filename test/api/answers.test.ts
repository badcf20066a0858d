// What every route really answers against the OpenAPI document: the status, the type, and a body that the very schemas of
// the document hold, without a field that nobody described; and that all the document says is answered.

import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { ANSWERS } from '../../functions/api/answers/schemas.ts';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import type { Delivery } from '../../functions/core/delivery.ts';
import { keys, ownerOrder } from '../../functions/core/names.ts';
import { payloadOf } from '../../functions/webhooks/payload.ts';
import { build } from '../support/program.ts';
import { followWorkflows } from '../../functions/runtime/followed-workflows.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type Described, type DescribedAnswer, documentOfApp, operationsOf } from './described.ts';
import { anotherProcess, type Asked, eventually, type Json, putJob, putJobs, SETTINGS } from './support.ts';

let rig: Rig;
let app: ApiApp;
let document: Described;
beforeAll(async () => {
  await build();
  rig = await startRig();
  app = anotherProcess(rig, { admit: askForKeys(rig.store), nudge: () => rig.nudge() });
  document = await documentOfApp(app);
});
afterAll(() => rig.close());

async function keyOf(owner: string, scopes: Scope[]): Promise<string> {
  const { key, keyId, hash } = drawKey(randomBytes);
  await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: rig.store.now() });
  return key;
}

const operations = () => operationsOf(document);
/** Which scope it asks for. */
const scopeOf = (operation: object) => /with the scope `(\w+)`/.exec(JSON.stringify(operation))![1]!;

describe('what routes answer', () => {
  /** `GET /api/status/{id} 200`: what was seen. */
  const seen = new Set<string>();
  let key: string;
  let admin: string;
  let ended: string;
  let image: string;
  beforeAll(async () => {
    key = await keyOf('ann', ['generate', 'read']);
    admin = await keyOf('boss', ['admin']);
  });

  /** Sends it, and holds what comes back against the document. */
  async function asks(route: string, status: number, asked: Asked & { app?: ApiApp } = {}): Promise<Json> {
    const [method, path] = route.split(' ') as [string, string];
    const answer = await (asked.app ?? app).request(path, {
      method,
      headers: {
        'x-api-key': key,
        ...(asked.json !== undefined && { 'content-type': 'application/json' }),
        ...asked.headers,
      },
      ...(asked.json !== undefined && { body: JSON.stringify(asked.json) }),
      ...(asked.body !== undefined && { body: asked.body }),
    });
    const bytes = await answer.arrayBuffer();
    const body = new TextDecoder().decode(bytes);
    if (answer.status !== status) throw new Error(`${route} answers ${answer.status}: ${body}`);
    const asksFor = `${method} ${path.split('?')[0]}`;
    const exact = operations().find(({ route: one }) => one === asksFor);
    const known =
      exact ??
      operations().find(({ route: one }) =>
        new RegExp(`^${one.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(asksFor),
      );
    if (!known) throw new Error(`${route} is not in the document`);
    const said = resolved(known.operation.responses[status]);
    if (!said) throw new Error(`${route} ${status} is not in the document`);
    seen.add(`${known.route} ${status}`);
    return said.content ? held(said.content, answer, body) : none(bytes);
  }

  function resolved(response: DescribedAnswer | undefined): DescribedAnswer | undefined {
    return response?.$ref ? document.components.responses[response.$ref.split('/').at(-1)!] : response;
  }

  function none(bytes: ArrayBuffer): Json {
    expect(bytes.byteLength).toBe(0);
    return {};
  }

  function held(content: NonNullable<DescribedAnswer['content']>, answer: Response, body: string): Json {
    const type = answer.headers.get('content-type')!.split(';')[0]!;
    const media = content[type] ?? content[`${type.split('/')[0]}/*`];
    if (!media) throw new Error(`${type} is not in the document`);
    if (type !== 'application/json') return {};
    const parsed = JSON.parse(body) as Json;
    const { $ref, anyOf } = media.schema;
    const names = [$ref, ...(anyOf ?? []).map((one) => one.$ref)].flatMap(
      (name) => name?.split('/').at(-1) ?? [],
    );
    const problems = names.map(
      (name) => (ANSWERS as Record<string, z.ZodType>)[name]!.safeParse(parsed).error?.message,
    );
    if (names.length > 0 && !problems.includes(undefined))
      throw new Error(`${body} is no ${names.join()}: ${problems.join()}`);
    return parsed;
  }

  function upload(bytes: Uint8Array<ArrayBuffer> | undefined): FormData {
    const form = new FormData();
    if (bytes) form.set('image', new File([bytes], 'a.png'));
    return form;
  }

  const large = 'x'.repeat(300_000);
  const plain = { 'content-type': 'text/plain' };
  const nowhere = '550e8400-e29b-41d4-a716-446655440000';

  test('without a key, and with one that lacks the scope', async () => {
    const other: Record<string, string> = {
      generate: await keyOf('ann', ['read']),
      read: await keyOf('ann', ['generate']),
      admin: await keyOf('ann', ['generate', 'read']),
    };
    for (const { route, operation } of operations()) {
      if (operation.security!.length === 0) continue;
      const real = route.replaceAll(/\{\w+\}/g, nowhere);
      const { code } = await asks(real, 401, { headers: { 'x-api-key': '' } });
      expect(code).toBe('unauthorized');
      const scope = scopeOf(operation);
      expect(await asks(real, 403, { headers: { 'x-api-key': other[scope]! } })).toMatchObject({
        code: 'forbidden',
        details: { scope },
      });
    }
  });

  test('whatever was sent too large or compressed', async () => {
    for (const { route, operation } of operations()) {
      if (operation.security!.length === 0) continue;
      const real = route.replaceAll(/\{\w+\}/g, nowhere);
      const headers = { 'x-api-key': scopeOf(operation) === 'admin' ? admin : key };
      await asks(real, 413, { headers: { ...headers, 'content-length': '99999999' } });
      await asks(real, 415, { headers: { ...headers, 'content-encoding': 'gzip' } });
    }
  });

  test('health, while there is no ComfyUI', async () => {
    expect(await asks('GET /api/health', 503)).toMatchObject({ status: 'unhealthy' });
  });

  test('generate: each example of the document, and what is wrong', async () => {
    const { examples } = document.paths['/api/generate']!['post']!.requestBody!.content['application/json']!;
    expect(Object.keys(examples!)).toEqual(['flux2_turbo_default', 'flux2_turbo_upscale']);
    for (const { value } of Object.values(examples!)) await asks('POST /api/generate', 202, { json: value });
    const generate = (status: number, asked: Asked & { app?: ApiApp }) =>
      asks('POST /api/generate', status, asked);
    await generate(400, { json: {} });
    await generate(400, { json: { prompt: 'x', steps_: 1 } });
    await generate(400, { body: '{', headers: { 'content-type': 'application/json' } });
    await generate(413, { json: { prompt: large } });
    await generate(415, { body: '{}', headers: plain });
    const once = { 'idempotency-key': 'once' };
    await generate(202, { json: { prompt: 'x' }, headers: once });
    await generate(422, { json: { prompt: 'y' }, headers: once });
    const full = anotherProcess(rig, {
      admit: askForKeys(rig.store),
      settings: { links: 'request', allowedOrigins: ['*'], fixedComfyUI: true, maxWaiting: 0 },
    });
    await generate(429, { json: { prompt: 'x' }, app: full });
    await asks('GET /api/queue', 200);
    await asks('GET /api/queue?cursor=x', 400);
    await asks('POST /api/queue/clear', 200);
  });

  test('a job from its acceptance to its end', async () => {
    await rig.addHost();
    const { job_id: jobId } = await asks('POST /api/generate', 202, {
      json: { prompt: '<script>alert(1)</script>', steps: 2, width: 256, height: 256 },
    });
    ended = String(jobId);
    await asks(`GET /api/status/${ended}`, 200);
    const done = await eventually('the end', async () => {
      const status = await asks(`GET /api/status/${ended}`, 200);
      return status['status'] === 'completed' && status;
    });
    image = String(done['output_image']);
    await asks(`GET /api/status/${nowhere}`, 404);
    await asks(`GET /api/status/${ended}?wait=2&since=0-queued-0-0-2`, 200);
    await asks(`GET /api/status/${ended}?wait=soon`, 400);
    await asks(`GET /api/status/${ended}/events`, 200);
    const heard = { 'last-event-id': String(done['event_id']) };
    await asks(`GET /api/status/${ended}/events`, 204, { headers: heard });
    await asks(`GET /api/status/${nowhere}/events`, 404);
    await asks(`GET /api/status/${ended}/events?previews=yes`, 400);
    // The hosts are read at most once a second.
    await eventually('health', async () => {
      const { status } = await app.request('/api/health', { headers: { 'x-api-key': key } });
      return status === 200;
    });
    await asks('GET /api/health', 200);
    await asks('GET /api/system', 200);
  });

  test('a failed one', async () => {
    const failed = await putJob(rig, {
      owner: 'ann',
      status: 'failed',
      state: {
        error: 'CLIPTextEncode (node 4) failed',
        errorCode: 'node_failed',
        gpuMs: 1200,
        costMicroUsd: 3,
      },
    });
    expect(await asks(`GET /api/status/${failed}`, 200)).toMatchObject({ error_code: 'node_failed' });
  });

  test('an image', async () => {
    await asks(`GET /api/image/${image}`, 200);
    await asks(`GET /api/image/${image}`, 206, { headers: { range: 'bytes=0-9' } });
    await asks(`GET /api/image/${image}`, 416, { headers: { range: 'bytes=99999999-' } });
    await asks(`GET /api/image/${image}?redirect=1`, 302);
    await asks('GET /api/image/none.png', 404);
    await asks('GET /api/image/none.png/thumbnail', 404);
    await asks('GET /api/image/none.png/metadata', 404);
    await asks(`GET /api/image/${image}/metadata`, 200);
    const { headers } = await app.request(`/api/image/${image}`, { headers: { 'x-api-key': key } });
    await asks(`GET /api/image/${image}`, 304, { headers: { 'if-none-match': headers.get('etag')! } });
    const thumbnail = `/api/image/${image}/thumbnail`;
    await asks(`GET ${thumbnail}`, 200);
    const small = await app.request(thumbnail, { headers: { 'x-api-key': key } });
    await asks(`GET ${thumbnail}`, 304, { headers: { 'if-none-match': small.headers.get('etag')! } });
  });

  test('an upload', async () => {
    const png = new Uint8Array(PNG.sync.write(new PNG({ width: 64, height: 64 })));
    const { name } = await asks('POST /api/upload/image', 200, { body: upload(png) });
    const { job_id: reads } = await asks('POST /api/generate', 202, {
      json: { workflow: 'flux2_turbo_controlnet', prompt: 'x', image: name },
    });
    await asks('GET /api/uploads', 200);
    await asks('GET /api/uploads?limit=0', 400);
    // Of a host that is not here: it does not end by itself.
    const held = await putJob(rig, {
      owner: 'ann',
      state: { work: 'held', host: 'elsewhere' },
      staging: [{ key: keys.upload('ann', String(name)), to: ['10.image'] }],
    });
    await asks(`DELETE /api/upload/image/${String(name)}`, 409);
    for (const job of [String(reads), held])
      await eventually('the end', async () => {
        const { status } = await app.request(`/api/queue/${job}`, {
          method: 'DELETE',
          headers: { 'x-api-key': key },
        });
        return status === 200 || status === 409;
      });
    await asks(`DELETE /api/upload/image/${String(name)}`, 200);
    await asks(`DELETE /api/upload/image/${String(name)}`, 404);
    await asks('POST /api/upload/image', 400, { body: upload(undefined) });
    await asks('POST /api/upload/image', 413, { body: upload(new Uint8Array(5_000_000)) });
    await asks('POST /api/upload/image', 415, { body: 'x', headers: plain });
    const sha256 = createHash('sha256').update(png).digest('hex');
    const link = { filename: 'a.png', size_bytes: png.length, sha256 };
    await asks('POST /api/upload/link', 200, { json: link });
    await asks('POST /api/upload/link', 400, { json: { ...link, sha256: '' } });
    await asks('POST /api/upload/link', 413, { json: { ...link, filename: 'x'.repeat(300_000) } });
    await asks('POST /api/upload/link', 415, { body: 'x', headers: plain });
  });

  test('lists, and a removal', async () => {
    await putJobs(rig, [
      { owner: 'ann', status: 'completed', images: 2 },
      { owner: 'ann', status: 'queued' },
    ]);
    expect(await asks('GET /api/outputs?limit=1', 200)).toMatchObject({ next_cursor: expect.any(String) });
    await asks('GET /api/outputs?limit=0', 400);
    await asks('GET /api/outputs?owner=bob', 403);
    expect(await asks('GET /api/jobs?limit=1', 200)).toMatchObject({ next_cursor: expect.any(String) });
    await asks('GET /api/jobs?state=ended', 400);
    await asks('GET /api/jobs?owner=bob', 403);
    for (const path of [`jobs/${ended}`, `jobs/${ended}/graph`]) await asks(`GET /api/${path}`, 200);
    for (const path of [`jobs/${nowhere}`, `jobs/${nowhere}/graph`]) await asks(`GET /api/${path}`, 404);
    expect(await asks('GET /api/history?limit=1', 200)).toMatchObject({ next_cursor: expect.any(String) });
    await asks('GET /api/history?cursor=none', 400);
    const [waiting] = await putJobs(rig, [{ owner: 'ann' }]);
    await asks(`DELETE /api/history/${waiting}`, 409);
    await asks(`DELETE /api/queue/${waiting}`, 200);
    await asks(`DELETE /api/queue/${ended}`, 409);
    await asks(`DELETE /api/queue/${nowhere}`, 404);
    await asks(`DELETE /api/history/${ended}`, 200);
    await asks(`DELETE /api/history/${ended}`, 404);
  });

  test('webhooks', async () => {
    await asks('GET /api/webhooks/secret', 200);
    const now = rig.store.now();
    const told: Pick<
      Delivery,
      'jobId' | 'owner' | 'url' | 'type' | 'since' | 'createdAt' | 'endedAt' | 'attempts'
    > = {
      jobId: ended,
      owner: 'ann',
      url: 'https://example.com/hook',
      type: 'job.completed',
      since: now,
      createdAt: now,
      endedAt: now,
      attempts: 1,
    };
    const [open, gone, over] = [nowhere, nowhere.replace(/^5/, '6'), nowhere.replace(/^5/, '7')];
    const common = { ...told, expiresAt: Math.ceil(now / 1000) + 60 };
    const item = (deliveryId: string, more: Partial<Delivery>): Delivery => ({
      ...common,
      deliveryId,
      ownerOrder: ownerOrder(now, deliveryId),
      ...more,
    });
    await rig.store.deliveries.put(item(open, { due: 'due', dueAt: now, lastError: 'It did not answer' }));
    await rig.store.deliveries.put(
      item(gone, { gaveUpAt: now, lastStatus: 500, lastError: 'It answered 500' }),
    );
    await rig.store.deliveries.put(item(over, { deliveredAt: now, lastStatus: 204 }));
    const { webhooks } = (await asks('GET /api/webhooks', 200)) as { webhooks: Json[] };
    expect(webhooks.map(({ status }) => status)).toEqual(['delivered', 'failed', 'pending']);
    await asks('GET /api/webhooks?cursor=none', 400);
    expect(await asks(`POST /api/webhooks/${gone}/redeliver`, 202)).toMatchObject({ status: 'pending' });
    await asks(`POST /api/webhooks/${ended}/redeliver`, 404);
  });

  test('what a webhook’s receiver gets', async () => {
    const jobs = await putJobs(rig, [{ status: 'completed', images: 1 }, { status: 'cancelled' }]);
    for (const jobId of jobs) {
      const payload = JSON.parse(payloadOf((await rig.store.jobs.read(jobId))!)) as unknown;
      expect(ANSWERS.WebhookEvent.safeParse(payload).error?.message).toBeUndefined();
    }
  });

  test('limits, and where one stands', async () => {
    const tight = anotherProcess(rig, {
      admit: askForKeys(rig.store),
      settings: {
        links: 'request',
        allowedOrigins: ['*'],
        fixedComfyUI: true,
        maxWaiting: 10_000,
        ownerLimits: { perMinute: 1, maxWaiting: 10, imagesPerDay: 10, usdPerMonth: 1 },
      },
    });
    const asked = { app: tight, headers: { 'x-api-key': await keyOf('eve', ['generate', 'read']) } };
    expect(await asks('GET /api/usage', 200, asked)).toMatchObject({ limited: true });
    await asks('POST /api/generate', 202, { ...asked, json: { prompt: 'x' } });
    await asks('POST /api/generate', 429, { ...asked, json: { prompt: 'x' } });
    await asks('POST /api/upload/image', 429, { ...asked, body: upload(new Uint8Array(1)) });
    await asks('POST /api/upload/link', 429, { ...asked, json: {} });
    await asks('GET /api/usage', 200, asked);
    expect(await asks('GET /api/usage', 200, { app: rig.app })).toMatchObject({ limited: false });
  });

  test('operations', async () => {
    const asked = { headers: { 'x-api-key': admin } };
    for (const address of ['hosts', 'queue', 'hours', 'failures', 'webhooks', 'keys', 'usage', 'limits'])
      await asks(`GET /api/admin/${address}`, 200, asked);
    for (const address of ['hours', 'failures']) await asks(`GET /api/admin/${address}?hours=25`, 400, asked);
    await asks('GET /api/admin/usage?days=0', 400, asked);
    await asks('GET /api/admin/webhooks?state=sent', 400, asked);
    await asks('POST /api/admin/keys', 400, { ...asked, json: {} });
    const made = await asks('POST /api/admin/keys', 201, { ...asked, json: { name: 'new' } });
    await asks(`DELETE /api/admin/keys/${String(made['key_id'])}`, 200, asked);
    await asks('DELETE /api/admin/keys/none', 404, asked);
    await asks('GET /api/admin/limits/ann', 200, asked);
    await asks('GET /api/admin/limits/a%20b', 400, asked);
    await asks('POST /api/admin/limits/ann', 200, { ...asked, json: { usd_per_month: 'unlimited' } });
    await asks('POST /api/admin/limits/ann', 400, { ...asked, json: { usd_per_month: 'none' } });
    await asks('GET /metrics', 200, asked);
    await asks('GET /api/metrics', 200, asked);
  });

  test('workflows', async () => {
    await asks('GET /api/workflows', 200);
    await asks('GET /api/workflows/flux2_turbo_default', 200);
    await asks('GET /api/workflows/none', 404);
  });

  test('workflows that are added and removed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'workflows-'));
    await cp('test/workflows', folder, { recursive: true });
    const workflows = await followWorkflows(folder, rig.log, 60_000);
    const asked = {
      app: anotherProcess(rig, { workflows, admit: askForKeys(rig.store) }),
      headers: { 'x-api-key': await keyOf('ann', ['admin']) },
    };
    await asks('GET /api/workflows?details=true', 200, asked);
    const { graph, inputs_file } = await asks('POST /api/workflows/propose', 200, {
      ...asked,
      body: await readFile('test/workflows/empty.json'),
    });
    await asks('POST /api/workflows/propose', 400, { ...asked, body: '{}' });
    await asks('POST /api/workflows/added', 200, { ...asked, json: { graph, inputs_file } });
    await asks('POST /api/workflows/added', 409, { ...asked, json: { graph, inputs_file } });
    await asks('POST /api/workflows/other', 400, { ...asked, json: {} });
    await asks('DELETE /api/workflows/added', 200, asked);
    await asks('DELETE /api/workflows/added', 404, asked);
    await asks('DELETE /api/workflows/flux2_turbo_default', 409, { headers: asked.headers });
    await workflows.stop();
    await rm(folder, { recursive: true });
  });

  test('the description', async () => {
    for (const at of ['', '/api']) {
      for (const path of ['/openapi.json', '/docs', '/docs/start.js']) {
        await asks(`GET ${at}${path}`, 200);
        const { headers } = await app.request(`${at}${path}`);
        await asks(`GET ${at}${path}`, 304, { headers: { 'if-none-match': headers.get('etag')! } });
      }
      await asks(`GET ${at}/docs/package.json`, 404);
    }
  });

  test('one request too many, whichever it is', async () => {
    const limited = anotherProcess(rig, {
      admit: askForKeys(rig.store),
      settings: { ...SETTINGS, ownerLimits: { readsPerMinute: 1 } },
    });
    await asks('GET /api/queue', 200, { app: limited });
    for (const path of ['workflows', 'admin/queue'])
      await asks(`GET /api/${path}`, 200, { app: limited, headers: { 'x-api-key': admin } });
    for (const { route, operation } of operations())
      if (!/generate$|upload\/(image|link)$/.test(route) && operation.security!.length > 0)
        await asks(route.replaceAll(/\{\w+\}/g, nowhere), 429, {
          app: limited,
          headers: { 'x-api-key': scopeOf(operation) === 'admin' ? admin : key },
        });
  });

  test('is all that the document says, but for what is nobody’s doing', () => {
    const said = operations().flatMap(({ route, operation }) =>
      Object.keys(operation.responses).map((status) => `${route} ${status}`),
    );
    expect(said.filter((one) => !seen.has(one) && !/ 50[03]$/.test(one))).toEqual([]);
  });
});
