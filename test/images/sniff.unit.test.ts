// An image is recognised by content alone, from as little of a stream as possible.

import { PNG } from 'pngjs';
import { ReadableStream } from 'node:stream/web';
import { describe, expect, it } from 'vitest';
import { imageType, peek } from '../../functions/images/sniff.ts';

const png = PNG.sync.write(new PNG({ width: 31, height: 17 }));
const segment = (marker: number, bytes: Buffer) => {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length + 2);
  return Buffer.concat([Buffer.from([0xff, marker]), length, bytes]);
};
/** As far as the size, behind `before` bytes of profile data. */
const jpeg = (before: number) => {
  const profiles = Array.from({ length: Math.ceil(before / 60_000) }, () =>
    segment(0xe2, Buffer.alloc(60_000)),
  );
  const frame = segment(0xc2, Buffer.from([8, 0, 17, 0, 31, 3, 1, 34, 0, 2, 17, 1, 3, 17, 1]));
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0')),
    ...profiles,
    frame,
    Buffer.alloc(64),
  ]);
};
const webp = Buffer.concat([
  Buffer.from('RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0', 'latin1'),
  Buffer.from([30, 0, 0, 16, 0, 0]),
  Buffer.alloc(8),
]);

describe('imageType', () => {
  it.each([
    ['PNG', png, 'image/png', 'png'],
    ['JPEG', jpeg(0), 'image/jpeg', 'jpg'],
    ['JPEG with profiles', jpeg(200_000), 'image/jpeg', 'jpg'],
    ['WebP', webp, 'image/webp', 'webp'],
  ])('knows %s and its size', (_, bytes, contentType, extension) => {
    expect(imageType(bytes)).toEqual({ contentType, extension, width: 31, height: 17 });
    expect(imageType(Buffer.concat([bytes, Buffer.alloc(100)]).subarray(0, bytes.length + 50))).toMatchObject(
      { width: 31 },
    );
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['GIF', Buffer.from('GIF89a\x1f\0\x11\0\0\0\0'.padEnd(64, '\0'), 'latin1')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"></svg>')],
    ['a page', Buffer.from(`<!doctype html>${' '.repeat(64)}`)],
    [
      'a page behind a PNG signature',
      Buffer.concat([png.subarray(0, 8), Buffer.from(`<script>${' '.repeat(64)}`)]),
    ],
    ['a PNG without width', Buffer.concat([png.subarray(0, 16), Buffer.alloc(64)])],
    ['the first bytes of a PNG', png.subarray(0, 20)],
    ['a JPEG cut before its size', jpeg(200_000).subarray(0, 100_000)],
    ['a JPEG of zeros', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(100_000)])],
  ])('refuses %s', (_, bytes) => {
    expect(imageType(bytes)).toBeUndefined();
  });

  it('ends soon whatever it is given', () => {
    const bytes = Buffer.alloc(512 * 1024, 1);
    bytes.set([0xff, 0xd8, 0xff, 0xe0]);
    const start = performance.now();
    imageType(bytes);
    expect(performance.now() - start).toBeLessThan(500);
  });
});

describe('peek', () => {
  function stream(bytes: Uint8Array, size: number) {
    const seen = { read: 0, cancelled: false };
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (seen.read >= bytes.length) return controller.close();
          controller.enqueue(bytes.subarray(seen.read, (seen.read += size)));
        },
        cancel: () => void (seen.cancelled = true),
      },
      { highWaterMark: 0 },
    );
    return { source, seen };
  }
  const large = Buffer.concat([png, Buffer.alloc(5_000_000, 7)]);

  it.each([1, 7, 100_000])('finds the type and passes the whole on, in pieces of %i', async (size) => {
    for (const bytes of size === 1
      ? [png, webp, jpeg(0)]
      : [large, jpeg(200_000), webp, Buffer.from('no'), Buffer.alloc(0)]) {
      const { head, stream: whole } = await peek(stream(bytes, size).source);
      expect(imageType(head)).toEqual(imageType(bytes));
      expect(Buffer.from(await new Response(whole as never).arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  it('reads no more than it needs, and hands on a cancellation', async () => {
    const { source, seen } = stream(large, 1000);
    const { head, stream: whole } = await peek(source);
    expect([imageType(head)?.width, seen.read]).toEqual([31, 1000]);
    await whole.cancel();
    expect(seen.cancelled).toBe(true);
    const endless = stream(Buffer.concat([jpeg(0).subarray(0, 20), Buffer.alloc(5_000_000, 1)]), 1000);
    await peek(endless.source);
    expect(endless.seen.read).toBeLessThan(600_000);
  });

  it('hands on what breaks, at once or later', async () => {
    const broken = (after: Uint8Array[]) =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          const piece = after.shift();
          if (piece) controller.enqueue(piece);
          else controller.error(new Error('broken'));
        },
      });
    await expect(peek(broken([]))).rejects.toThrow('broken');
    const { stream: rest } = await peek(broken([png, png]));
    await expect(new Response(rest as never).arrayBuffer()).rejects.toThrow('broken');
  });
});
