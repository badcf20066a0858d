// GET /api/image/<filename>: the bytes as HTTP clients expect them, and presigned links to the same.

import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { call, putJob } from './support.ts';

let rig: Rig;
let name: string;
let link: string;
let png: Buffer;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
  const status = await rig.until(await rig.generate(), ['completed']);
  name = String(status['output_image']);
  png = Buffer.from(await (await fetch(`${rig.url}/api/image/${name}`)).arrayBuffer());
  const answer = await fetch(`${rig.url}/api/status/${String(status['job_id'])}`);
  link = ((await answer.json()) as { images: { url: string }[] }).images[0]!.url;
});
afterAll(() => rig.close());

const get = (headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${rig.url}/api/image/${name}`, { method, headers });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

test('200 with the bytes, without a redirect, and all that a browser needs', async () => {
  const answer = await fetch(`${rig.url}/api/image/${name}`, { redirect: 'error' });
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': String(png.length),
    'content-disposition': `inline; filename="${name}"`,
    'accept-ranges': 'bytes',
    etag: expect.stringMatching(/^"[^"]+"$/),
    'access-control-allow-origin': '*',
  });
  expect(PNG.sync.read(await bytesOf(answer))).toMatchObject({ width: 256, height: 256 });
});

describe('ranges', () => {
  test.each([
    ['bytes=0-9', 0, 10],
    ['bytes=100-', 100, undefined],
    ['bytes=-7', -7, undefined],
    ['bytes=10-999999999', 10, undefined],
  ])('%s: 206 with that part', async (range, from, to) => {
    const answer = await get({ range });
    const wanted = png.subarray(from, to);
    expect(answer.status).toBe(206);
    const start = from < 0 ? png.length + from : from;
    expect(answer.headers.get('content-range')).toBe(
      `bytes ${start}-${start + wanted.length - 1}/${png.length}`,
    );
    expect(answer.headers.get('content-length')).toBe(String(wanted.length));
    expect((await bytesOf(answer)).equals(wanted)).toBe(true);
  });

  test.each(['bytes=99999999-', 'bytes=99999999-999999999'])('%s: 416 with the size', async (range) => {
    const answer = await get({ range });
    expect(answer.status).toBe(416);
    expect(answer.headers.get('content-range')).toBe(`bytes */${png.length}`);
    expect(await answer.json()).toMatchObject({ code: 'range_not_satisfiable' });
  });

  test.each(['lines=1-2', 'bytes=a-b', 'bytes=0-1,3-4'])('%s is ignored: the whole', async (range) => {
    const answer = await get({ range });
    expect(answer.status).toBe(200);
    expect((await bytesOf(answer)).equals(png)).toBe(true);
  });
});

test('If-None-Match: 304 without a body for what the caller has, 200 for anything else', async () => {
  const etag = (await get()).headers.get('etag')!;
  for (const tag of [etag, `W/${etag}`]) {
    const answer = await get({ 'if-none-match': tag });
    expect([tag, answer.status]).toEqual([tag, 304]);
    expect((await bytesOf(answer)).length).toBe(0);
  }
  expect((await get({ 'if-none-match': '"another"' })).status).toBe(200);
});

describe('holds no connection to the bucket', () => {
  // More than fits into the buffers on the way, and more requests than the client has connections: 128.
  const large = Buffer.alloc(8 * 1024 * 1024, 'pixels');
  let url: string;
  beforeAll(async () => {
    const jobId = await putJob(rig, { status: 'completed', images: 1 });
    const filename = String((await rig.status(jobId))['output_image']);
    await rig.images.put(keys.image(jobId, 1, filename), large, { contentType: 'image/png' });
    url = `${rig.url}/api/image/${filename}`;
  });
  async function manyTimes(ask: () => Promise<unknown>): Promise<void> {
    for (let round = 0; round < 7; round += 1) await Promise.all(Array.from({ length: 20 }, ask));
  }
  const comesWhole = async () => (await bytesOf(await fetch(url))).equals(large);

  test('HEAD, which tells what GET would', async () => {
    await manyTimes(async () => {
      const answer = await fetch(url, { method: 'HEAD' });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-length')).toBe(String(large.length));
      expect(answer.headers.get('content-type')).toBe('image/png');
    });
    expect(await comesWhole()).toBe(true);
  });

  test('a caller that goes away in the middle', async () => {
    await manyTimes(async () => {
      const away = new AbortController();
      const answer = await fetch(url, { signal: away.signal });
      away.abort();
      await answer.arrayBuffer().catch(() => undefined);
    });
    expect(await comesWhole()).toBe(true);
  });
});

test('?redirect=1: 302 to a link that works with a plain fetch', async () => {
  const answer = await fetch(`${rig.url}/api/image/${name}?redirect=1`, { redirect: 'manual' });
  expect(answer.status).toBe(302);
  const location = answer.headers.get('location')!;
  expect(new URL(location).origin).toBe(rig.url);
  expect((await bytesOf(await fetch(location))).equals(png)).toBe(true);
  expect((await fetch(`${rig.url}/api/image/${name}?redirect=0`, { redirect: 'manual' })).status).toBe(200);
});

test('a presigned link points back to where the request came, works, and is refused when altered', async () => {
  expect(new URL(link).origin).toBe(rig.url);
  const answer = await fetch(link);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('image/png');
  expect((await bytesOf(answer)).equals(png)).toBe(true);
  const later = String(Math.floor(Date.now() / 1000) + 1000);
  for (const altered of [
    link.replace(/signature=[\w-]+/, `signature=${'A'.repeat(43)}`),
    link.replace('_00001_.png', '_00002_.png'),
    link.replace(/expires=\d+/, `expires=${later}`),
    `${link}&type=text%2Fhtml`,
  ]) {
    expect(altered).not.toBe(link);
    const refused = await fetch(altered);
    expect([altered, refused.status]).toEqual([altered, 403]);
    expect(await refused.json()).toMatchObject({
      code: 'forbidden',
      error: expect.stringContaining('the status of the job has a new one') as string,
    });
  }
  expect((await fetch(link, { method: 'DELETE' })).status).toBe(404);
  expect((await fetch(link)).status).toBe(200);
});

test('with its own address set, links point there', async () => {
  const away = await startRig({ settings: { links: { origin: 'https://images.example.com' } } });
  try {
    await away.addHost();
    const jobId = await away.generate();
    await away.until(jobId, ['completed']);
    const { json } = await call<{ images: { url: string }[] }>(away.app, `GET /api/status/${jobId}`);
    expect(new URL(json.images[0]!.url).origin).toBe('https://images.example.com');
  } finally {
    await away.close();
  }
});

test('anything that is not ours is 404 `Image not found`', async () => {
  const hex = '0'.repeat(32);
  for (const wrong of [
    `Flux2_Turbo_${hex}_00001_.png`,
    'Flux2_Turbo_00001_.png',
    name.replace('_00001_', '_00002_'),
    name.replace('.png', '.jpg'),
    `%2e%2e%2f${name}`,
    '..%2f..%2fetc%2fpasswd',
    '..%5c..%5cwindows',
    '%2e%2e%00.png',
    `${name}%00`,
    '%',
    '%ff',
    `${'a'.repeat(64)}.png`,
  ]) {
    const answer = await fetch(`${rig.url}/api/image/${wrong}`);
    expect([wrong, answer.status]).toEqual([wrong, 404]);
    expect(await answer.json()).toEqual({ error: 'Image not found', code: 'image_not_found' });
  }
});
