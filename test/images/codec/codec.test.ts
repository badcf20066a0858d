// The codec on its threads: what it makes of whole images, what it says of others, and that it outlives them.

import { randomBytes } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';
import type { Worker } from 'node:worker_threads';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Codec, CodecBusy, type Order, Unconvertible } from '../../../functions/images/codec/order.ts';
import { imageType } from '../../../functions/images/sniff.ts';
import { animated, claiming, photo, startCodec } from './support.ts';

const WEBP: Order = { format: 'webp', quality: 80 };
const JPEG: Order = { format: 'jpeg', quality: 90 };
const SMALL: Order = { format: 'webp', quality: 70, side: 64 };

let codec: Codec;
let png: Buffer;
let webp: Uint8Array;
let jpeg: Uint8Array;
beforeAll(async () => {
  codec = await startCodec({ threads: 1 });
  png = photo(200, 100);
  webp = (await made(WEBP, png)).bytes;
  jpeg = (await made(JPEG, png)).bytes;
});
afterAll(() => codec.close());

const made = (order: Order, bytes: Uint8Array, by = codec) => by.convert(order, () => Promise.resolve(bytes));
const refusal = (order: Order, bytes: Uint8Array, by = codec) =>
  made(order, bytes, by).then(
    () => 'converted',
    (error: unknown) => error,
  );

describe('a whole image', () => {
  test.each(['png', 'webp', 'jpeg'] as const)('%s becomes JPEG and WebP of its size', async (from) => {
    const bytes = { png, webp, jpeg }[from];
    expect(imageType((await made(JPEG, bytes)).bytes)).toMatchObject({
      extension: 'jpg',
      width: 200,
      height: 100,
    });
    expect(imageType((await made(WEBP, bytes)).bytes)).toMatchObject({
      extension: 'webp',
      width: 200,
      height: 100,
    });
  });

  test('is shrunk to its longer side, and never enlarged', async () => {
    expect(await made(SMALL, photo(200, 100))).toMatchObject({ width: 64, height: 32 });
    expect(await made(SMALL, photo(100, 200))).toMatchObject({ width: 32, height: 64 });
    expect(await made(SMALL, photo(20, 10))).toMatchObject({ width: 20, height: 10 });
    expect(await made(SMALL, photo(2000, 1))).toMatchObject({ width: 64, height: 1 });
  });

  test('of more quality is larger', async () => {
    for (const format of ['jpeg', 'webp'] as const) {
      const sizes = [];
      for (const quality of [0, 50, 100])
        sizes.push((await made({ format, quality }, photo(256, 256))).bytes.length);
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
      expect(sizes[2]).toBeGreaterThan(2 * sizes[0]!);
    }
  });

  test.each([
    ['grey', { colorType: 0 as const }],
    ['grey with alpha', { colorType: 4 as const }],
    ['without alpha', { colorType: 2 as const }],
    ['of 16 bits', { colorType: 6 as const, bitDepth: 16 as const, inputHasAlpha: true }],
  ])('%s', async (_, options) => {
    const sixteen = 'bitDepth' in options;
    const image = new PNG({ width: 8, height: 8 });
    image.data = Buffer.alloc(8 * 8 * 4 * (sixteen ? 2 : 1), 200);
    const bytes = PNG.sync.write(image, options);
    expect(await made(JPEG, bytes)).toMatchObject({ width: 8, height: 8 });
    expect(await made(WEBP, bytes)).toMatchObject({ width: 8, height: 8 });
  });

  test.each([
    [1, 1],
    [20, 10],
    [1, 700],
    [256, 256],
    [1000, 1000],
  ])('of nothing but noise, %i × %i', async (width, height) => {
    const image = new PNG({ width, height });
    image.data = randomBytes(width * height * 4);
    const noise = PNG.sync.write(image, { colorType: 2 });
    for (const format of ['jpeg', 'webp'] as const) {
      const { bytes } = await made({ format, quality: 100 }, noise);
      expect(imageType(bytes)).toMatchObject({ width, height });
      expect((await made(SMALL, bytes)).width).toBeLessThanOrEqual(64);
    }
  });

  test('what is transparent becomes white in a JPEG', async () => {
    const clear = (await made({ format: 'jpeg', quality: 100 }, photo(64, 64, 0))).bytes;
    const white = new PNG({ width: 64, height: 64 });
    white.data.fill(255);
    expect(clear).toEqual((await made({ format: 'jpeg', quality: 100 }, PNG.sync.write(white))).bytes);
  });

  test('of an animated WebP it takes the first frame', async () => {
    expect(await made(SMALL, animated(webp, 200, 100))).toMatchObject({ width: 64, height: 32 });
  });

  test('carries none of what the file says beside its pixels', async () => {
    const text = Buffer.from('\0\0\0\0tEXtprompt\0{"secret":1}', 'latin1');
    text.writeUInt32BE(text.length - 8);
    const said = Buffer.concat([png.subarray(0, 33), text, sumOf(text.subarray(4)), png.subarray(33)]);
    for (const order of [JPEG, WEBP, SMALL])
      expect(Buffer.from((await made(order, said)).bytes).includes('secret')).toBe(false);
  });
});

describe('is refused, and the next is converted:', () => {
  const half = (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2);
  const damaged = (bytes: Uint8Array) =>
    Uint8Array.from(bytes, (byte, at) => (at > 60 && at % 7 === 0 ? byte ^ 0x55 : byte));
  const cases: [string, () => Uint8Array][] = [
    ['nothing', () => new Uint8Array()],
    ['a text', () => Buffer.from('no image at all, but a text of some length')],
    ['a GIF', () => Buffer.from('GIF89a\x01\0\x01\0\0\0\0;'.padEnd(60, '\0'), 'latin1')],
    ['half a PNG', () => half(png)],
    ['half a WebP', () => half(webp)],
    ['a JPEG without its scan', () => jpeg.subarray(0, 300)],
    ['the head of a PNG', () => png.subarray(0, 40)],
    ['a damaged PNG', () => damaged(png)],
    ['a PNG of 10,000 × 10,000 that is none', () => claiming(png, 10_000, 10_000)],
    ['a PNG that says it has 0 pixels', () => claiming(png, 0, 10)],
    ['a PNG that says it is larger than it is', () => claiming(png, 5000, 4000)],
    ['a whole PNG of 100 megapixels', () => zeros(10_000, 10_000)],
    ['an animated WebP whose frame is damaged', () => damaged(animated(webp, 200, 100))],
  ];
  test.each(cases)('%s', async (_, bytes) => {
    for (const order of [SMALL, JPEG]) expect(await refusal(order, bytes())).toBeInstanceOf(Unconvertible);
    expect(await made(SMALL, png)).toMatchObject({ width: 64 });
  });

  test('of 25 megapixels it makes a thumbnail, but no whole image', async () => {
    const large = zeros(5000, 5000);
    expect(await made(SMALL, large)).toMatchObject({ width: 64, height: 64 });
    expect(await refusal(JPEG, large)).toBeInstanceOf(Unconvertible);
  });

  test('what takes too long', async () => {
    const hasty = await startCodec({ threads: 1, within: 1 });
    expect(await refusal(WEBP, photo(1500, 1500), hasty)).toBeInstanceOf(Unconvertible);
    await hasty.close();
  });
});

function sumOf(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum;
}

/** All black: of few bytes, whatever its size. */
function zeros(width: number, height: number): Buffer {
  const pieces: Buffer[] = [];
  const piece = (type: string, body: Buffer) => {
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(body.length);
    whole.write(type, 4);
    body.copy(whole, 8);
    pieces.push(whole, sumOf(whole.subarray(4)));
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  piece('IHDR', head);
  piece('IDAT', deflateSync(Buffer.alloc(height * (1 + width))));
  piece('IEND', Buffer.alloc(0));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...pieces]);
}

test('a source that fails fails its own alone', async () => {
  const gone = codec.convert(SMALL, () => Promise.reject(new Error('gone')));
  const next = made(SMALL, png);
  await expect(gone).rejects.toThrow('gone');
  expect(await next).toMatchObject({ width: 64 });
});

test('what waits is not in memory, and beyond a bound it is refused', async () => {
  const few = await startCodec({ threads: 1, waiting: 3 });
  let read = 0;
  let most = 0;
  const ask = () =>
    few.convert(SMALL, () => {
      most = Math.max(most, (read += 1));
      return Promise.resolve(png);
    });
  const all = await Promise.allSettled(Array.from({ length: 6 }, () => ask().finally(() => (read -= 1))));
  expect(all.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), 'rejected', 'rejected']);
  expect(all.slice(4)).toEqual([4, 5].map(() => ({ status: 'rejected', reason: expect.any(CodecBusy) })));
  expect(most).toBe(1);
  await few.close();
});

test('a thread without work is ended, and another does the next', async () => {
  const quiet = await startCodec({ threads: 1, idle: 1 });
  const began: number[] = [];
  const seen = (worker: Worker) => began.push(worker.threadId);
  process.on('worker', seen);
  for (let round = 1; round <= 3; round += 1) {
    expect(await made(SMALL, png, quiet)).toMatchObject({ width: 64 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(began).toHaveLength(round);
  }
  process.off('worker', seen);
  await quiet.close();
});

test('a program that is not there is no fault of the image', async () => {
  const { createCodec } = await import('../../../functions/images/codec/codec.ts');
  const lost = createCodec('/nowhere/thread.mjs');
  const error = await refusal(SMALL, png, lost);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(Unconvertible);
});
