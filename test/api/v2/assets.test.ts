// The assets of the Comfy API v2: uploaded, found by their hash, read, used by a job, deleted; and that each owner has its own.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../../functions/api/http/access.ts';
import type { ApiApp } from '../../../functions/api/deps.ts';
import { drawKey } from '../../../functions/core/access.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, call, type Json } from '../support.ts';
import { blake3Of, picture, reading, untilEnded } from './support.ts';

let rig: Rig;
let clock = 0;
let app: ApiApp;
beforeAll(async () => {
  rig = await startRig();
  app = anotherProcess(rig, { now: () => rig.store.now() + clock });
});
afterAll(() => rig.close());

interface Form {
  content_type?: string;
  file_path?: string;
  expected_hash?: string;
  expires_in?: string;
  tags?: string;
}

function upload(
  bytes: Uint8Array<ArrayBuffer> | Buffer,
  form: Form = {},
  { headers = {}, to = app }: { headers?: Record<string, string>; to?: Pick<ApiApp, 'request'> } = {},
) {
  const body = new FormData();
  const fields = { content_type: 'image/png', file_path: 'photo.png', ...form };
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) body.append(name, value);
  body.append('file', new Blob([new Uint8Array(bytes)]), fields.file_path);
  return call(to, 'POST /api/v2/assets', { body, headers });
}

const contentOf = async (id: unknown, headers: Record<string, string> = {}) => {
  const answer = await app.request(`/api/v2/assets/${String(id)}/content`, { headers });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
};

describe('an upload', () => {
  test('is an asset in the shape of the contract, and its bytes come back', async () => {
    const bytes = picture();
    const { status, json } = await upload(bytes, { expected_hash: await blake3Of(bytes) });
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      hash: await blake3Of(bytes),
      size_bytes: bytes.length,
      content_type: 'image/png',
      file_path: 'photo.png',
      created_new: true,
      created_at: expect.any(String),
      url: expect.stringMatching(/^http/),
      url_expires_at: expect.any(String),
      expires_at: expect.any(String),
    });
    const { created_new: _, url: _url, url_expires_at: _until, ...same } = json;
    expect((await call(app, `GET /api/v2/assets/${String(json['id'])}`)).json).toMatchObject(same);
    const content = await contentOf(json['id']);
    expect(content.status).toBe(200);
    expect(content.bytes.equals(bytes)).toBe(true);
    expect(content.headers.get('content-disposition')).toContain('attachment');
  });

  test('of the same bytes is another asset over them', async () => {
    const bytes = picture();
    const first = await upload(bytes);
    const again = await upload(bytes, { file_path: 'again.png' });
    expect(again).toMatchObject({ status: 200, json: { created_new: false, file_path: 'again.png' } });
    expect(again.json['id']).not.toBe(first.json['id']);
    // The first goes, the bytes stay; with the last they go.
    for (const [id, left] of [
      [first.json['id'], 200],
      [again.json['id'], 404],
    ] as const) {
      const gone = await app.request(`/api/v2/assets/${String(id)}`, { method: 'DELETE' });
      expect(gone.status).toBe(204);
      const head = await app.request(`/api/v2/assets/by-hash/${await blake3Of(bytes)}`, { method: 'HEAD' });
      expect(head.status).toBe(left);
    }
    expect((await call(app, `DELETE /api/v2/assets/${String(first.json['id'])}`)).status).toBe(404);
  });

  test('that the guide’s API was sent too stays there when its asset goes', async () => {
    const bytes = picture();
    const body = new FormData();
    body.append('image', new Blob([bytes]), 'x.png');
    const { json: image } = await call(app, 'POST /api/upload/image', { body });
    const { status, json } = await upload(bytes);
    expect(status).toBe(200);
    await app.request(`/api/v2/assets/${String(json['id'])}`, { method: 'DELETE' });
    const { json: list } = await call<{ uploads: Json[] }>(app, 'GET /api/uploads');
    expect(list.uploads.map(({ name }) => name)).toContain(image['name']);
  });

  test('of whatever bytes: any type, an empty file, a name beyond ASCII', async () => {
    for (const [bytes, form] of [
      [Buffer.alloc(0), { content_type: 'application/octet-stream', file_path: 'empty' }],
      [Buffer.from('<script>alert(1)</script>'), { content_type: 'text/html', file_path: 'a/b/page.html' }],
      [randomBytes(3_000_000), { content_type: 'video/mp4', file_path: 'Füchse 🦊.mp4' }],
    ] as const) {
      const { status, json } = await upload(bytes, form);
      expect(status).toBe(201);
      expect(json).toMatchObject({ ...form, size_bytes: bytes.length });
      const content = await contentOf(json['id']);
      expect(content.bytes.equals(bytes)).toBe(true);
      expect(content.headers.get('content-type')).not.toContain('html');
    }
  });

  test('repeated with its key is the same asset; with other bytes it is refused', async () => {
    const bytes = picture();
    const headers = { 'idempotency-key': 'an-upload' };
    const first = await upload(bytes, {}, { headers });
    const again = await upload(bytes, {}, { headers });
    expect(again).toMatchObject({ status: 200, json: { id: first.json['id'] } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await upload(picture(), {}, { headers })).toMatchObject({
      status: 422,
      json: { error: { code: 'idempotency_key_reuse' } },
    });
  });

  test('ten at the same moment are ten assets over one object', async () => {
    const bytes = picture();
    const answers = await Promise.all(Array.from({ length: 10 }, () => upload(bytes)));
    expect(answers.filter(({ status }) => status !== 200 && status !== 201)).toEqual([]);
    expect(new Set(answers.map(({ json }) => json['id'])).size).toBe(10);
  });

  test('ends when it was asked to', async () => {
    const { json } = await upload(picture(), { expires_in: '60' });
    const life = Date.parse(String(json['expires_at'])) - Date.parse(String(json['created_at']));
    expect(life).toBe(60_000);
    clock = 61_000;
    try {
      expect((await call(app, `GET /api/v2/assets/${String(json['id'])}`)).status).toBe(404);
      expect((await contentOf(json['id'])).status).toBe(404);
    } finally {
      clock = 0;
    }
  });

  test.each<[string, number, string, Form]>([
    ['another hash', 409, 'hash_mismatch', { expected_hash: `blake3:${'0'.repeat(64)}` }],
    ['no content type', 422, 'invalid_request', { content_type: 'picture' }],
    ['a path upwards', 422, 'invalid_request', { file_path: '../photo.png' }],
    ['an absolute path', 422, 'invalid_request', { file_path: '/etc/passwd' }],
    ['59 seconds', 422, 'invalid_request', { expires_in: '59' }],
    ['eight days', 422, 'invalid_request', { expires_in: '691200' }],
    ['words for seconds', 422, 'invalid_request', { expires_in: 'soon' }],
  ])('with %s is refused, and nothing is kept', async (_, status, code, form) => {
    const bytes = picture();
    expect(await upload(bytes, form)).toMatchObject({ status, json: { error: { code } } });
    const head = await app.request(`/api/v2/assets/by-hash/${await blake3Of(bytes)}`, { method: 'HEAD' });
    expect(head.status).toBe(404);
  });

  test.each<[string, number, string, RequestInit]>([
    ['nothing', 422, 'invalid_request', { headers: { 'content-type': 'multipart/form-data; boundary=x' } }],
    ['no form', 415, 'unsupported_media_type', { body: 'x', headers: { 'content-type': 'text/plain' } }],
    [
      'no boundary',
      422,
      'invalid_request',
      { body: 'x', headers: { 'content-type': 'multipart/form-data' } },
    ],
    [
      'half a form',
      422,
      'invalid_request',
      {
        body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      },
    ],
    [
      'no file',
      422,
      'invalid_request',
      {
        body: '--x\r\nContent-Disposition: form-data; name="content_type"\r\n\r\nimage/png\r\n--x--\r\n',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      },
    ],
  ])('that is %s is refused', async (_, status, code, init) => {
    const answer = await app.request('/api/v2/assets', { method: 'POST', ...init });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { code } });
  });

  test('over 100 MB is refused, by its length or while it comes', async () => {
    const large = new Uint8Array(101 * 1024 * 1024);
    expect(await upload(large)).toMatchObject({
      status: 413,
      json: { error: { code: 'payload_too_large' } },
    });
  });
});

describe('by hash', () => {
  test('what is here is minted without a byte; what is not is not found', async () => {
    const bytes = picture();
    const hash = await blake3Of(bytes);
    const mint = (json: Json) => call(app, 'POST /api/v2/assets/from-hash', { json });
    for (const unknown of [hash, 'blake3:xyz', 'sha256:00'])
      expect(await mint({ hash: unknown })).toMatchObject({
        status: 404,
        json: { error: { code: 'blob_not_found' } },
      });
    expect(await mint({})).toMatchObject({ status: 422 });
    await upload(bytes);
    const { status, json } = await mint({ hash, file_path: 'minted.png', expires_in: 3600 });
    expect({ status, json }).toMatchObject({
      status: 201,
      json: { hash, file_path: 'minted.png', created_new: false, content_type: 'image/png' },
    });
    expect((await contentOf(json['id'])).bytes.equals(bytes)).toBe(true);
  });

  test('only HEAD is taken', async () => {
    expect((await call(app, `GET /api/v2/assets/by-hash/blake3:${'0'.repeat(64)}`)).status).toBe(405);
  });
});

describe('a range', () => {
  test.each([
    ['bytes=0-9', 206, 0, 10],
    ['bytes=5-', 206, 5, undefined],
    ['bytes=-4', 206, -4, undefined],
    ['lines=1-2', 200, 0, undefined],
  ])('%s: %i', async (range, status, from, to) => {
    const bytes = picture();
    const { json } = await upload(bytes);
    const content = await contentOf(json['id'], { range });
    expect(content.status).toBe(status);
    expect(content.bytes.equals(bytes.subarray(from, to))).toBe(true);
  });

  test('behind the end: 416', async () => {
    const { json } = await upload(picture());
    const answer = await contentOf(json['id'], { range: 'bytes=1000000-' });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/);
  });
});

describe('another owner', () => {
  test('finds neither the asset nor its bytes by their hash', async () => {
    const closed = anotherProcess(rig, { admit: askForKeys({ keys: rig.store.keys, now: rig.store.now }) });
    const keyOf = async (owner: string) => {
      const { key, keyId, hash } = drawKey(randomBytes);
      const scopes = ['graphs' as const, 'read' as const];
      await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: rig.store.now() });
      return { authorization: `Bearer ${key}` };
    };
    const [ann, bob] = [await keyOf('ann'), await keyOf('bob')];
    const bytes = picture();
    const hash = await blake3Of(bytes);
    const { status, json } = await upload(bytes, {}, { to: closed, headers: ann });
    expect(status).toBe(201);
    const id = String(json['id']);
    for (const [route, expected, headers] of [
      [`GET /api/v2/assets/${id}`, 200, ann],
      [`GET /api/v2/assets/${id}`, 404, bob],
      [`DELETE /api/v2/assets/${id}`, 404, bob],
      [`GET /api/v2/assets/${id}/content`, 404, bob],
      [`HEAD /api/v2/assets/by-hash/${hash}`, 200, ann],
      [`HEAD /api/v2/assets/by-hash/${hash}`, 404, bob],
    ] as const) {
      const [method, path] = route.split(' ') as [string, string];
      expect([route, (await closed.request(path, { method, headers })).status]).toEqual([route, expected]);
    }
    const mine = await call(closed, 'POST /api/v2/assets/from-hash', { json: { hash }, headers: bob });
    expect(mine).toMatchObject({ status: 404, json: { error: { code: 'blob_not_found' } } });
    const workflow = reading({ __type: 'core/ASSET', info: { id } });
    expect(await call(closed, 'POST /api/v2/jobs', { json: { workflow }, headers: bob })).toMatchObject({
      status: 422,
      json: { error: { code: 'missing_asset', details: { missing_ids: [id] } } },
    });
    expect((await call(closed, 'POST /api/v2/jobs', { json: { workflow }, headers: ann })).status).toBe(201);
  });
});

describe('in a graph', () => {
  let hosted: Rig;
  beforeAll(async () => {
    hosted = await startRig();
    await hosted.addHost();
  });
  afterAll(() => hosted.close());

  test('an asset is what the job reads; what it made is an asset that the next job reads', async () => {
    const { json: asset } = await upload(picture(), {}, { to: hosted.app });
    let id = String(asset['id']);
    for (const _ of ['an upload', 'an output']) {
      const workflow = reading({ __type: 'core/ASSET', info: { id, file_path: 'photo.png' } });
      const { status, json } = await call(hosted.app, 'POST /api/v2/jobs', { json: { workflow } });
      expect(status).toBe(201);
      const job = await untilEnded(hosted.app, String(json['id']));
      expect(job).toMatchObject({ status: 'succeeded' });
      // As it was sent, so that it can be sent again.
      const kept = await call(hosted.app, `GET /api/v2/jobs/${String(json['id'])}/workflow`);
      expect(kept.json['workflow']).toEqual(workflow);
      const [output] = job['outputs'] as Json[];
      id = String(output!['id']);
      const found = await call(hosted.app, `GET /api/v2/assets/${id}`);
      expect(found.json).toMatchObject({ id, job_id: json['id'], hash: null, content_type: 'image/png' });
      expect(await call(hosted.app, `DELETE /api/v2/assets/${id}`)).toMatchObject({
        status: 409,
        json: { error: { code: 'asset_in_use' } },
      });
    }
  });

  test.each<[string, unknown]>([
    ['that names no id', { __type: 'core/ASSET', info: {} }],
    ['without info', { __type: 'core/ASSET' }],
    ['that is not there', { __type: 'core/ASSET', info: { id: '00000000-0000-8000-8000-000000000000' } }],
    ['within a list', [{ __type: 'core/ASSET', info: { id: 'x' } }, 0, 1]],
  ])('one %s is refused', async (_, image) => {
    const answer = await call(hosted.app, 'POST /api/v2/jobs', { json: { workflow: reading(image) } });
    expect(answer).toMatchObject({ status: 422, json: { error: { code: 'missing_asset' } } });
  });
});

test('an asset that a waiting job reads is not deleted', async () => {
  const { json: asset } = await upload(picture());
  const id = String(asset['id']);
  const workflow = reading({ __type: 'core/ASSET', info: { id } });
  const { json: job } = await call(app, 'POST /api/v2/jobs', { json: { workflow } });
  expect(await call(app, `DELETE /api/v2/assets/${id}`)).toMatchObject({
    status: 409,
    json: { error: { code: 'asset_in_use' } },
  });
  await call(app, `POST /api/v2/jobs/${String(job['id'])}/cancel`);
  await expect
    .poll(async () => (await app.request(`/api/v2/assets/${id}`, { method: 'DELETE' })).status)
    .toBe(204);
});
