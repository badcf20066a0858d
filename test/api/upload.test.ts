// POST /api/upload/image, and the workflow that reads what was uploaded or made before.

import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../../functions/core/names.ts';
import { encodeBlockyJpeg } from '../../simulated-comfyui/jpeg.ts';
import { Painting } from '../../simulated-comfyui/painting.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, countStored, type Json, putJob } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
});
afterAll(() => rig.close());

/** A whole one, of a bit a pixel. */
const png = (width: number, height: number, more: [string, Buffer][] = []) => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const pixels = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))));
  const chunks: [string, Buffer][] = [['IHDR', head], ...more, ['IDAT', pixels], ['IEND', Buffer.alloc(0)]];
  const written = chunks.map(([type, data]) => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  });
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...written]);
};
/** 1000 × 1000 pixels in so many frames. */
const animated = (frames: number) => {
  const canvas = Buffer.from('VP8X\x0a\0\0\0\x02\0\0\0\xe7\x03\0\xe7\x03\0', 'latin1');
  const frame = Buffer.concat([Buffer.from('ANMF\x18\0\0\0', 'latin1'), Buffer.alloc(24)]);
  const body = Buffer.concat([canvas, ...Array.from({ length: frames }, () => frame)]);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
};
/** acTL: so many frames, played for ever. */
const apng = (frames: number) => {
  const told = Buffer.alloc(8);
  told.writeUInt32BE(frames);
  return png(1000, 1000, [['acTL', told]]);
};
const REAL = PNG.sync.write(Object.assign(new PNG({ width: 64, height: 48 })));
const JPEG = encodeBlockyJpeg(new Painting({ key: 'a', words: 'fox' }, 64, 48));
/** One pixel, lossless. */
const WEBP = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');

/** As a browser or curl -F sends it, over HTTP. */
async function upload(bytes: Uint8Array, name = 'photo.png', type = 'image/png', field = 'image') {
  const form = new FormData();
  form.set(field, new Blob([Buffer.from(bytes)], { type }), name);
  const answer = await fetch(`${rig.url}/api/upload/image`, { method: 'POST', body: form });
  return { status: answer.status, json: (await answer.json()) as Json };
}
const nameOf = (bytes: Uint8Array, extension: string) =>
  `${createHash('sha256').update(bytes).digest('hex')}.${extension}`;

describe('is taken by content, whatever it is called', () => {
  test.each([
    ['a PNG', REAL, 'png', 'image/png'],
    ['a JPEG', JPEG, 'jpg', 'image/jpeg'],
    ['a WebP', WEBP, 'webp', 'image/webp'],
  ])('%s', async (_, bytes, extension, contentType) => {
    const answer = await upload(bytes, '../../evil.exe', 'application/x-msdownload');
    const name = nameOf(bytes, extension);
    expect(answer).toEqual({ status: 200, json: { name, subfolder: '', type: 'input' } });
    expect(await rig.images.head(keys.upload('local', name))).toMatchObject({
      contentType,
      sizeBytes: bytes.length,
    });
  });
});

test('the same file twice is one', async () => {
  const first = await upload(REAL);
  const before = await countStored(rig);
  expect(await upload(REAL, 'other.png')).toEqual(first);
  expect(await countStored(rig)).toEqual(before);
});

test('at most 4 MB and 16 megapixels: the edges are taken, what is beyond is not', async () => {
  const large = Buffer.concat([png(4000, 4000), Buffer.alloc(4 * 1024 * 1024)]).subarray(0, 4 * 1024 * 1024);
  expect((await upload(large)).status).toBe(200);
  const before = await countStored(rig);
  const tooLarge = await upload(Buffer.concat([large, Buffer.alloc(1)]));
  expect(tooLarge).toMatchObject({
    status: 413,
    json: { code: 'body_too_large', error: 'An image may have at most 4 MB' },
  });
  expect(await upload(png(4001, 4000))).toMatchObject({
    status: 400,
    json: {
      code: 'invalid_image',
      details: { field: 'image' },
      error: expect.stringContaining('megapixels'),
    },
  });
  expect(await countStored(rig)).toEqual(before);
});

test('the frames of an animation count: 16 of a megapixel are taken, 17 are not', async () => {
  for (const [taken, refused] of [
    [animated(16), animated(17)],
    [apng(16), apng(17)],
  ]) {
    expect((await upload(taken!)).status).toBe(200);
    expect(await upload(refused!)).toMatchObject({
      status: 400,
      json: { code: 'invalid_image', error: expect.stringContaining('16 megapixels in all its frames') },
    });
  }
});

test('a body of 12 MB is refused without being kept, with and without its length', async () => {
  const before = await countStored(rig);
  const body = Buffer.alloc(12 * 1024 * 1024);
  const headers = { 'content-type': 'multipart/form-data; boundary=x' };
  const known = await fetch(`${rig.url}/api/upload/image`, { method: 'POST', headers, body });
  expect(known.status).toBe(413);
  const chunked = await fetch(`${rig.url}/api/upload/image`, {
    method: 'POST',
    headers,
    body: new Blob([body]).stream(),
    duplex: 'half',
  });
  expect(chunked.status).toBe(413);
  expect(await chunked.json()).toMatchObject({ code: 'body_too_large' });
  expect(await countStored(rig)).toEqual(before);
});

describe('is refused, with nothing stored', () => {
  const gif = Buffer.from('GIF89a\x1f\0\x11\0\0\0\0'.padEnd(64, '\0'), 'latin1');
  test.each([
    ['a GIF that says it is a PNG', () => upload(gif), 400, 'invalid_image'],
    ['a page', () => upload(Buffer.from('<!doctype html><script>alert(1)</script>')), 400, 'invalid_image'],
    ['an empty file', () => upload(Buffer.alloc(0)), 400, 'invalid_image'],
    ['half a head', () => upload(REAL.subarray(0, 20)), 400, 'invalid_image'],
    ['a PNG cut in its pixels', () => upload(REAL.subarray(0, REAL.length - 20)), 400, 'invalid_image'],
    ['a JPEG without its end', () => upload(JPEG.subarray(0, JPEG.length - 2)), 400, 'invalid_image'],
    ['a PNG of 2^31 pixels a side', () => upload(huge()), 400, 'invalid_image'],
    ['another field', () => upload(REAL, 'a.png', 'image/png', 'file'), 400, 'missing_field'],
    ['the image as text', () => raw(textForm()), 400, 'missing_field'],
    ['no form', () => raw(REAL, 'image/png'), 415, 'unsupported_media_type'],
    ['JSON', () => raw('{"image": "x"}', 'application/json'), 415, 'unsupported_media_type'],
    ['a form without its boundary', () => raw('x', 'multipart/form-data'), 400, 'invalid_image'],
    ['a broken form', () => raw('--x\r\nno', 'multipart/form-data; boundary=x'), 400, 'invalid_image'],
  ])('%s', async (_, ask, status, code) => {
    const before = await countStored(rig);
    expect(await ask()).toMatchObject({ status, json: { code, error: expect.stringContaining('image') } });
    expect(await countStored(rig)).toEqual(before);
  });

  function huge(): Buffer {
    const image = png(8, 8);
    image.writeUInt32BE(2 ** 31 - 1, 16);
    image.writeUInt32BE(2 ** 31 - 1, 20);
    return image;
  }

  function textForm(): FormData {
    const form = new FormData();
    form.set('image', 'photo.png');
    return form;
  }
  function raw(body: NonNullable<RequestInit['body']>, type?: string) {
    return call(rig.app, 'POST /api/upload/image', {
      body,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  }
});

describe('the controlnet workflow', () => {
  const ask = (image: unknown) =>
    call(rig.app, 'POST /api/generate', {
      json: {
        prompt: 'x',
        workflow: 'flux2_turbo_controlnet',
        steps: 2,
        width: 256,
        height: 256,
        image,
      },
    });
  const done = async (image: unknown) => {
    const answer = await ask(image);
    expect(answer).toMatchObject({ status: 202 });
    return rig.until(String(answer.json['job_id']), ['completed', 'failed']);
  };

  test('reads an uploaded image, and one that was made here', async () => {
    const { json } = await upload(REAL);
    const first = await done(json['name']);
    expect(first).toMatchObject({
      status: 'completed',
      output_image: expect.stringMatching(/^Flux2_Turbo_ControlNet_[0-9a-f]{32}_00001_\.png$/),
    });
    expect(await done(first['output_image'])).toMatchObject({ status: 'completed' });
  });

  test('refuses an image that is not there, not made by the caller, or no name at all', async () => {
    const foreign = await putJob(rig, { status: 'completed', images: 1, state: { owner: 'somebody else' } });
    const { output_image: others } = await rig.status(foreign);
    const before = await countStored(rig);
    for (const image of [
      nameOf(Buffer.from('x'), 'png'),
      others,
      '../../etc/passwd',
      'example.png',
      5,
      [],
      {},
    ])
      expect(await ask(image)).toMatchObject({
        status: 400,
        json: {
          code: 'invalid_field',
          details: { field: 'image' },
          error: expect.stringMatching(/^Invalid field: image must/),
        },
      });
    for (const image of ['', null, undefined])
      expect(await ask(image)).toMatchObject({
        status: 400,
        json: { error: 'Missing required field: image', code: 'missing_field' },
      });
    expect(await countStored(rig)).toEqual(before);
  });

  test('using an upload renews it: it is kept 30 days after its last use', async () => {
    const { json } = await upload(REAL);
    const key = keys.upload('local', String(json['name']));
    const uploaded = (await rig.images.head(key))!;
    let renewed = 0;
    const later = anotherProcess(rig, {
      now: () => uploaded.lastModified.getTime() + 25 * 3600_000,
      images: {
        ...rig.images,
        renew: (...args) => {
          renewed += 1;
          return rig.images.renew(...args);
        },
      },
    });
    const body = { prompt: 'x', workflow: 'flux2_turbo_controlnet', image: json['name'] };
    const { status, json: job } = await call(later, 'POST /api/generate', { json: body });
    expect(status).toBe(202);
    expect(renewed).toBe(1);
    expect(await rig.images.head(key)).toMatchObject({ etag: uploaded.etag, contentType: 'image/png' });
    await call(rig.app, `DELETE /api/queue/${String(job['job_id'])}`);
  });
});
