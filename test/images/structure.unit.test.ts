// Only whole images pass, and what is kept is byte for byte the same. Source: docs/reports.md.

import { randomBytes } from 'node:crypto';
import { deflateSync, crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { jpegSize } from '../../functions/images/structure/jpeg.ts';
import { framesOfWebp } from '../../functions/images/structure/webp.ts';
import { type ImageMetadata, walkImage } from '../../functions/images/structure/walk.ts';
import { imageType } from '../../functions/images/sniff.ts';
import { Painting } from '../../simulated-comfyui/painting.ts';
import { encodeBlockyJpeg } from '../../simulated-comfyui/jpeg.ts';

type Kind = 'png' | 'jpg' | 'webp';

async function walk(bytes: Buffer, kind: Kind, metadata: ImageMetadata = 'keep', piece = 7): Promise<Buffer> {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  }
  const out: Buffer[] = [];
  for await (const part of walkImage(pieces(), kind, metadata)) out.push(part);
  return Buffer.concat(out);
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])));
  return Buffer.concat([head, data, sum]);
}

function ihdr(width: number, height: number, interlaced = 0): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([8, 2, 0, 0, interlaced], 8);
  return chunk('IHDR', data);
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const madeOf = (...chunks: Buffer[]) => Buffer.concat([SIGNATURE, ...chunks, chunk('IEND', Buffer.alloc(0))]);
const pixels = (bytes: number) => chunk('IDAT', deflateSync(Buffer.alloc(bytes)));

const png = PNG.sync.write(new PNG({ width: 31, height: 17 }));
const painting = new Painting({ key: 'a', words: 'fox' }, 64, 48);
const jpeg = encodeBlockyJpeg(painting);
/** One pixel, lossless. */
const webp = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');

const riff = (...parts: [string, Buffer][]) => {
  const body = Buffer.concat(
    parts.map(([type, data]) => {
      const head = Buffer.alloc(8);
      head.write(type, 'latin1');
      head.writeUInt32LE(data.length, 4);
      return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
    }),
  );
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
};
const vp8x = (flags: number, width: number, height: number) => {
  const data = Buffer.alloc(10);
  data[0] = flags;
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  return ['VP8X', data] as [string, Buffer];
};
const vp8l: [string, Buffer] = ['VP8L', webp.subarray(20)];

describe('a whole image passes as it is', () => {
  it.each<[string, Buffer, Kind]>([
    ['PNG', png, 'png'],
    ['interlaced PNG of 5 × 3', madeOf(ihdr(5, 3, 1), pixels(4 + 4 + 4 + 10 + 2 * 7 + 16)), 'png'],
    ['JPEG', jpeg, 'jpg'],
    ['WebP of one pixel', webp, 'webp'],
    ['WebP with metadata', riff(vp8x(8, 1, 1), vp8l, ['EXIF', Buffer.from('abc')]), 'webp'],
  ])('%s', async (_, bytes, kind) => {
    if (kind !== 'webp' || bytes === webp) expect(imageType(bytes)?.extension).toBe(kind);
    for (const piece of [1, 3, 1000])
      expect((await walk(bytes, kind, 'keep', piece)).equals(bytes)).toBe(true);
  });

  it('a JPEG with fill bytes between its segments, with its size', async () => {
    const filled = Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xff, 0xff]), jpeg.subarray(2)]);
    expect(jpegSize(filled)).toEqual({ width: 512, height: 384 });
    expect(imageType(filled)).toMatchObject({ width: 512, height: 384 });
    await walk(filled, 'jpg');
  });
});

describe('what is no whole image breaks', () => {
  it.each<[string, Buffer, Kind]>([
    ['a PNG cut in its pixels', png.subarray(0, png.length - 20), 'png'],
    ['a PNG cut before its end', png.subarray(0, png.length - 12), 'png'],
    ['a JPEG cut in its scan', jpeg.subarray(0, jpeg.length - 40), 'jpg'],
    ['a JPEG without its end', jpeg.subarray(0, jpeg.length - 2), 'jpg'],
    ['a WebP cut short', webp.subarray(0, webp.length - 4), 'webp'],
    ['a PNG of 2^31 pixels a side', madeOf(ihdr(2 ** 31 - 1, 2 ** 31 - 1), pixels(100)), 'png'],
    ['a PNG of no pixels', madeOf(ihdr(0, 5), pixels(5)), 'png'],
    ['a PNG with fewer pixels than it says', madeOf(ihdr(10, 10), pixels(300)), 'png'],
    ['a PNG with more pixels than it says', madeOf(ihdr(2, 2), pixels(5_000_000)), 'png'],
    ['a PNG without pixels', madeOf(ihdr(2, 2)), 'png'],
    ['a WebP without a picture', riff(vp8x(0, 5, 5), ['EXIF', Buffer.from('abcd')]), 'webp'],
    [
      'a WebP of too many frames',
      riff(vp8x(2, 16_000, 16_000), ['ANMF', Buffer.alloc(24)], ['ANMF', Buffer.alloc(24)]),
      'webp',
    ],
  ])('%s', async (_, bytes, kind) => {
    await expect(walk(bytes, kind)).rejects.toMatchObject({ name: 'BrokenImage' });
  });

  it('a PNG with one byte changed, wherever', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 8, max: png.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const hurt = Buffer.from(png);
          hurt[at] = hurt[at]! ^ by;
          await expect(walk(hurt, 'png')).rejects.toMatchObject({ name: 'BrokenImage' });
        },
      ),
    );
  });
});

describe('without its metadata', () => {
  it('a PNG has the same pixels and no texts', async () => {
    const text = chunk('tEXt', Buffer.from('prompt\0{"3": "secret"}'));
    const end = png.length - 12;
    const annotated = Buffer.concat([
      png.subarray(0, 33),
      text,
      png.subarray(33, end),
      text,
      png.subarray(end),
    ]);
    expect((await walk(annotated, 'png', 'strip')).equals(png)).toBe(true);
    expect((await walk(annotated, 'png', 'keep')).equals(annotated)).toBe(true);
  });

  it('a PNG loses also what a program calls its own, wherever it stands, and keeps what shows', async () => {
    // ComfyUI 0.8.0 and 0.33.0: SaveAnimatedPNG writes the graph into `comf`, behind the pixels.
    const own = chunk('comf', Buffer.from('prompt\0{"3": "secret"}'));
    const density = chunk('pHYs', Buffer.alloc(9, 1));
    const end = png.length - 12;
    const shown = Buffer.concat([png.subarray(0, 33), density, png.subarray(33)]);
    const annotated = Buffer.concat([
      png.subarray(0, 33),
      density,
      png.subarray(33, end),
      own,
      png.subarray(end),
      Buffer.from('behind the end'),
    ]);
    expect((await walk(annotated, 'png', 'strip')).equals(shown)).toBe(true);
  });

  it('a JPEG keeps its colour profile and loses its Exif and comments', async () => {
    const segment = (code: number, text: string) => {
      const head = Buffer.from([0xff, code, 0, text.length + 2]);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    const icc = segment(0xe2, 'ICC_PROFILE');
    const annotated = Buffer.concat([
      jpeg.subarray(0, 2),
      segment(0xe1, 'Exif secret'),
      icc,
      segment(0xfe, 'secret'),
      jpeg.subarray(2),
    ]);
    const wanted = Buffer.concat([jpeg.subarray(0, 2), icc, jpeg.subarray(2)]);
    expect((await walk(annotated, 'jpg', 'strip')).equals(wanted)).toBe(true);
  });

  it('a WebP says so in its head', async () => {
    const annotated = riff(
      vp8x(0x1c, 1, 1),
      vp8l,
      ['EXIF', Buffer.from('secret')],
      ['XMP ', Buffer.from('secret')],
    );
    expect((await walk(annotated, 'webp', 'strip')).equals(riff(vp8x(0x10, 1, 1), vp8l))).toBe(true);
  });
});

it('a large picture in many pieces leaves no listeners behind', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  const rows = randomBytes(500 * (1 + 700 * 3));
  for (let row = 0; row < 500; row += 1) rows[row * 2101] = 0;
  const large = madeOf(ihdr(700, 500), chunk('IDAT', deflateSync(rows, { level: 0 })));
  expect((await walk(large, 'png', 'keep', 8192)).equals(large)).toBe(true);
  // Warnings come in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});

it('the frames of a WebP are counted', () => {
  expect(framesOfWebp(webp)).toBe(1);
  const frame: [string, Buffer] = ['ANMF', Buffer.alloc(24)];
  expect(framesOfWebp(riff(vp8x(2, 10, 10), frame, frame, frame))).toBe(3);
});
