// Files that are put by a link: exactly the one that was asked for, once, in little memory, and then they are uploads.

import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { createReaders } from '../../functions/api/http/readers.ts';
import { drawKey } from '../../functions/core/access.ts';
import { StorageFull } from '../../functions/core/disk-full.ts';
import { keys } from '../../functions/core/names.ts';
import { createLinks } from '../../functions/images/folder/links.ts';
import type { UploadLink } from '../../functions/images/links.ts';
import { isUpload, uploadsBefore } from '../../functions/local/uploads.ts';
import { CONNECTION_LIMITS, listen } from '../../functions/runtime/listen.ts';
import { silent } from '../images/engines.ts';
import { unfinishedIn } from '../images/engines.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, type Json, SETTINGS } from './support.ts';
import { picture } from './v2/support.ts';

const MB = 1024 * 1024;
const MEGABYTES = Number(process.env['LARGE_FILE_MB'] ?? 300);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  await rig.addHost();
});
afterAll(() => rig.close());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const film = (bytes = 5 * MB) =>
  Buffer.concat([Buffer.from('\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41', 'latin1'), randomBytes(bytes)]);

async function ask(bytes: Uint8Array, filename: string, more: Json = {}) {
  const json = { filename, size_bytes: bytes.length, sha256: sha256(bytes), ...more };
  return call<{ name: string; uploaded: boolean; upload: UploadLink; code: string }>(
    { request: (path: string, init) => Promise.resolve(fetch(rig.url + path, init)) } as Rig['app'],
    'POST /api/upload/link',
    { json },
  );
}
async function put({ url, headers }: UploadLink, bytes: Uint8Array) {
  const answer = await fetch(url, { method: 'PUT', headers, body: Buffer.from(bytes) });
  const text = await answer.text();
  return { status: answer.status, code: text === '' ? undefined : (JSON.parse(text) as Json)['code'] };
}
const stored = (name: string) => rig.images.head(keys.upload('local', name));
async function nothingIsLeft(name: string): Promise<void> {
  const folder = rig.images.outputDirectory.replace(/images$/, '');
  await expect.poll(async () => [await stored(name), await unfinishedIn(folder)]).toEqual([undefined, []]);
}

describe('a link', () => {
  test('takes a file past the limit of a form, which a job then reads', async () => {
    const bytes = Buffer.concat([picture(), Buffer.alloc(5 * MB)]);
    const { json } = await ask(bytes, 'Photo.PNG');
    expect(json).toMatchObject({ name: `${sha256(bytes)}.png`, uploaded: false, upload: { method: 'PUT' } });
    expect(await put(json.upload, bytes)).toEqual({ status: 200 });
    expect(await stored(json.name)).toMatchObject({ sizeBytes: bytes.length });
    const job = await rig.until(await rig.generate({ workflow: 'load', image: json.name }), [
      'completed',
      'failed',
    ]);
    expect(job).toMatchObject({ status: 'completed' });
    // The second time nothing need be sent.
    expect((await ask(bytes, 'other.png')).json).toEqual({ name: json.name, uploaded: true, upload: null });
  });

  test('used twice takes nothing more', async () => {
    const bytes = film();
    const { json } = await ask(bytes, 'film.mp4');
    expect((await put(json.upload, bytes)).status).toBe(200);
    expect(await put(json.upload, bytes)).toEqual({ status: 412, code: 'upload_exists' });
    const [one, two] = [film(), film()];
    const both = await Promise.all([ask(one, 'a.mp4'), ask(one, 'a.mp4')]);
    const answers = await Promise.all(both.map(({ json: { upload } }) => put(upload, one)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    expect(two.length).toBe(one.length);
  });

  test('takes no other bytes, no more and no fewer', async () => {
    const bytes = film();
    const { json } = await ask(bytes, 'film.mp4');
    const other = Buffer.from(bytes);
    other[5 * MB - 1]! ^= 1;
    expect(await put(json.upload, other)).toEqual({ status: 400, code: 'checksum_mismatch' });
    expect(await put(json.upload, Buffer.concat([bytes, bytes]))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
    expect(await put(json.upload, bytes.subarray(1))).toEqual({ status: 400, code: 'bad_body' });
    const chunked = await new Promise<number | undefined>((resolve, reject) => {
      const req = request(json.upload.url, { method: 'PUT' }, (res) => resolve(res.resume().statusCode));
      req.once('error', reject);
      req.write(bytes.subarray(0, 10));
      req.end();
    });
    expect(chunked).toBe(400);
    await nothingIsLeft(json.name);
    expect((await put(json.upload, bytes)).status).toBe(200);
  });

  test('cut off in the middle leaves nothing, and works again', async () => {
    const bytes = film();
    const { json } = await ask(bytes, 'film.mp4');
    const broken = new Promise((resolve) => {
      const headers = { ...json.upload.headers, 'content-length': bytes.length };
      const req = request(json.upload.url, { method: 'PUT', headers });
      req.once('error', resolve);
      req.write(bytes.subarray(0, 3 * MB), () => req.destroy(new Error('gone')));
    });
    await broken;
    await nothingIsLeft(json.name);
    expect((await put(json.upload, bytes)).status).toBe(200);
  });

  test('that was changed, or is of another owner, workspace or time, opens nothing', async () => {
    const bytes = film();
    const { json } = await ask(bytes, 'film.mp4');
    const { url, headers } = json.upload;
    const other = keys.upload('bob', json.name).split('/')[1]!;
    const changes = [
      (at: string) => at.replace(/uploads\/[0-9a-f]{16}/, `uploads/${other}`),
      (at: string) => at.replace(/size=\d+/, `size=${bytes.length + 1}`),
      (at: string) => at.replace(/sha256=[0-9a-f]{4}/, 'sha256=0000'),
      (at: string) => at.replace(/expires=\d+/, 'expires=99999999999'),
      (at: string) => `${at}&filename=a.html`,
      (at: string) => at.replace('/signed-upload/', '/signed/'),
    ];
    for (const change of changes.slice(0, 5))
      expect(await put({ url: change(url), headers }, bytes)).toEqual({ status: 403, code: 'forbidden' });
    expect((await fetch(changes[5]!(url))).status).toBe(403);
    const file = { key: keys.upload('local', json.name), sizeBytes: bytes.length, sha256: sha256(bytes) };
    for (const links of [
      createLinks({ secret: 'another workspace' }),
      createLinks({ secret: 'of the rig', now: () => Date.now() - 3_600_000 }),
      // A clock that was set back since.
      createLinks({ secret: 'of the rig', now: () => Date.now() + 3_600_000 }),
    ])
      expect(await put(await links.uploadLink({ endpoint: rig.url, ...file }), bytes)).toMatchObject({
        status: 403,
      });
    await nothingIsLeft(json.name);
  });

  test('is used by pages of any origin, by PUT alone', async () => {
    const bytes = film();
    const { json } = await ask(bytes, 'film.mp4');
    const { url } = json.upload;
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://a.example' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'PUT']);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    for (const method of ['POST', 'GET', 'DELETE']) expect((await fetch(url, { method })).status).toBe(405);
  });

  test('a name must say what the file is, before a job reads it', async () => {
    const bytes = film();
    const { json } = await ask(bytes, 'photo.png');
    await put(json.upload, bytes);
    const refused = await call(rig.app, 'POST /api/generate', {
      json: { workflow: 'load', image: json.name },
    });
    expect(refused).toMatchObject({
      status: 400,
      json: { code: 'invalid_field', details: { field: 'image' } },
    });
    const asset = await call(rig.app, 'POST /api/v2/assets/from-upload', { json: { upload: json.name } });
    expect(asset.status).toBe(400);
  });

  test.each([
    [{ size_bytes: 0 }, 'invalid_field'],
    [{ size_bytes: 6 * 1024 * MB }, 'invalid_field'],
    [{ size_bytes: 1.5 }, 'invalid_field'],
    [{ sha256: 'A'.repeat(64) }, 'invalid_field'],
    [{ sha256: undefined }, 'missing_field'],
    [{ filename: '' }, 'invalid_field'],
    [{ owner: 'bob' }, 'unknown_field'],
  ])('is not made for %j', async (more, code) => {
    expect(await ask(Buffer.from('x'), 'a.png', more)).toMatchObject({ status: 400, json: { code } });
  });
});

test('an asset of the Comfy API v2 over a file that was put', async () => {
  const bytes = film();
  const { json } = await ask(bytes, 'film.mp4');
  const mint = () =>
    call(rig.app, 'POST /api/v2/assets/from-upload', {
      json: { upload: json.name, file_path: 'film.mp4', content_type: 'video/mp4', expires_in: 3600 },
    });
  expect((await mint()).json).toMatchObject({ error: { code: 'blob_not_found' } });
  await put(json.upload, bytes);
  const { status, json: asset } = await mint();
  expect(status).toBe(201);
  expect(asset).toMatchObject({
    hash: null,
    size_bytes: bytes.length,
    file_path: 'film.mp4',
    content_type: 'video/mp4',
  });
  const read = await fetch(`${rig.url}/api/v2/assets/${String(asset['id'])}/content`);
  expect(sha256(Buffer.from(await read.arrayBuffer()))).toBe(sha256(bytes));
  const again = await mint();
  for (const { id } of [asset, again.json])
    expect((await rig.app.request(`/api/v2/assets/${String(id)}`, { method: 'DELETE' })).status).toBe(204);
  // It is an upload too, and stays one.
  expect(await stored(json.name)).toBeDefined();
});

describe('whoever is slow, or has no room', () => {
  async function serve(more: Partial<Parameters<typeof uploadsBefore>[1]>) {
    const links = createLinks({ secret: 'of the rig' });
    const deps = { links, images: rig.images, writers: createReaders(2), log: silent, ...more };
    const handler = uploadsBefore((_, res) => res.writeHead(404).end(), deps);
    const limits = { ...CONNECTION_LIMITS, requestTimeout: 1000 };
    const server = await listen(handler, '127.0.0.1', 0, limits, 'API', isUpload);
    const link = (bytes: Uint8Array) => {
      const key = keys.upload('local', `${sha256(bytes)}.bin`);
      const endpoint = `http://127.0.0.1:${server.port}`;
      return links.uploadLink({ endpoint, key, sizeBytes: bytes.length, sha256: sha256(bytes) });
    };
    return { server, link };
  }

  test('slow but steady is longer than a request may take; silent is cut off', async () => {
    const { server, link } = await serve({ idleAfter: 3000 });
    const bytes = randomBytes(10);
    const { url, headers } = await link(bytes);
    const status = await new Promise((resolve, reject) => {
      const req = request(url, { method: 'PUT', headers: { ...headers, 'content-length': 10 } }, (res) =>
        resolve(res.resume().statusCode),
      );
      req.once('error', reject);
      let at = 0;
      const timer = setInterval(() => {
        req.write(bytes.subarray(at, (at += 1)));
        if (at < 10) return;
        clearInterval(timer);
        req.end();
      }, 200);
    });
    expect(status).toBe(200);
    const other = randomBytes(10);
    const silence = await link(other);
    const error = await new Promise((resolve) => {
      const req = request(silence.url, { method: 'PUT', headers: { 'content-length': 10 } });
      req.once('error', resolve);
      req.write('x');
    });
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    await nothingIsLeft(`${sha256(other)}.bin`);
    await server.close();
  });

  test('a full disk is said', async () => {
    const images = { ...rig.images, putOnce: () => Promise.reject(new StorageFull()) };
    const { server, link } = await serve({ images });
    const bytes = randomBytes(10);
    expect(await put(await link(bytes), bytes)).toEqual({ status: 503, code: 'disk_full' });
    await server.close();
  });
});

describe('what an owner keeps', () => {
  async function caller(uploadBytes: number) {
    const { key, keyId, hash } = drawKey(randomBytes);
    const owner = `owner-${keyId}`;
    await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes: ['generate', 'read'], createdAt: 0 });
    const { now } = rig.store;
    const app = anotherProcess(rig, {
      now,
      admit: askForKeys({ keys: rig.store.keys, now }),
      settings: { ...SETTINGS, ownerLimits: { uploadBytes } },
      presigner: createLinks({ secret: 'of the rig' }),
    });
    const link = (bytes: Uint8Array, size = bytes.length) =>
      call<Json & { upload: UploadLink; name: string }>(app, 'POST /api/upload/link', {
        headers: { 'x-api-key': key },
        json: { filename: 'a.bin', size_bytes: size, sha256: sha256(bytes) },
      });
    return { owner, link };
  }

  test('a link counts from the moment that it is made', async () => {
    const { link } = await caller(1000);
    const [one, two] = [randomBytes(600), randomBytes(600)];
    expect((await link(one)).status).toBe(200);
    expect((await link(one)).status).toBe(200);
    expect(await link(two)).toMatchObject({ status: 429, json: { code: 'uploads_used_up' } });
  });

  test('links that are not used end somewhere, and come to nothing after a while', async () => {
    const { owner, link } = await caller(1e9);
    expect((await link(randomBytes(16))).status).toBe(200);
    const at = rig.store.now() + 3_600_000;
    const reserve = (one: Buffer, ends = at) =>
      rig.store.uploadCounts.begin(owner, { name: `${sha256(one)}.bin`, bytes: 1, at: ends }, 0, 1e9);
    await Promise.all(Array.from({ length: 500 }, () => reserve(randomBytes(16))));
    expect(await link(randomBytes(16))).toMatchObject({ status: 429, json: { code: 'too_many_requests' } });
    await reserve(randomBytes(16), rig.store.now() - 3_600_000);
    expect((await link(randomBytes(16))).status).toBe(200);
  });
});

test(`${MEGABYTES} MB in little memory`, async () => {
  const piece = Buffer.alloc(MB, 'film');
  const hash = createHash('sha256');
  for (let at = 0; at < MEGABYTES; at += 1) hash.update(piece);
  const digest = hash.digest('hex');
  const { json } = await ask(piece, 'large.bin', { size_bytes: MEGABYTES * MB, sha256: digest });
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5);
  const began = performance.now();
  const status = await new Promise((resolve, reject) => {
    const headers = { ...json.upload.headers, 'content-length': MEGABYTES * MB };
    const req = request(json.upload.url, { method: 'PUT', headers }, (res) =>
      resolve(res.resume().statusCode),
    );
    req.once('error', reject);
    let left = MEGABYTES;
    const more = (): void => {
      for (; left > 0; left -= 1) if (!req.write(piece)) return void req.once('drain', ((left -= 1), more));
      req.end();
    };
    more();
  });
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  console.log(`${MEGABYTES} MB: ${seconds.toFixed(1)} s, ${Math.round((peak - before) / MB)} MB of memory`);
  expect(status).toBe(200);
  expect(peak - before).toBeLessThan(150 * MB);
}, 600_000);
