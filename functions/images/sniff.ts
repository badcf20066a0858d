// An image's type and size by its content: PNG, JPEG or WebP. Names and declared types are ignored (media-type.ts has all
// other types).
// It never buffers more than the head of a stream.

import { ReadableStream } from 'node:stream/web';
import { MEDIA_HEAD, mediaTypeOf } from './media-type.ts';
import { jpegSize } from './structure/jpeg.ts';
import { framesOfPng, pngSize } from './structure/png.ts';
import { BrokenImage, walkImage } from './structure/walk.ts';
import { framesOfWebp, webpSize } from './structure/webp.ts';

export { BrokenImage } from './structure/walk.ts';

export interface ImageType {
  contentType: 'image/png' | 'image/jpeg' | 'image/webp';
  extension: 'png' | 'jpg' | 'webp';
  width: number;
  height: number;
}

/** A JPEG's size comes after its Exif data, colour profile and thumbnail; the others' at the very front. */
const JPEG_HEAD = 512 * 1024;
const HEAD = 64;

function formatOf(bytes: Uint8Array): Pick<ImageType, 'contentType' | 'extension'> | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { contentType: 'image/png', extension: 'png' };
  if (head.startsWith('\xff\xd8\xff')) return { contentType: 'image/jpeg', extension: 'jpg' };
  if (/^RIFF[^]{4}WEBP$/.test(head)) return { contentType: 'image/webp', extension: 'webp' };
  return undefined;
}

/** In pixels, of a GIF's canvas. */
export function gifSize(head: Buffer): { width: number; height: number } | undefined {
  if (head.length < 10 || !head.toString('latin1', 0, 6).startsWith('GIF8')) return undefined;
  return { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
}

const SIZES = { png: pngSize, jpg: jpegSize, webp: webpSize };

/** Undefined: none of the three, or without a valid size. `bytes` may be the head of a file. */
export function imageType(bytes: Uint8Array): ImageType | undefined {
  const format = formatOf(bytes);
  // The smallest WebP has 26 bytes.
  if (!format || bytes.length < 26) return undefined;
  const size = SIZES[format.extension](Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return size && size.width > 0 && size.height > 0 ? { ...format, ...size } : undefined;
}

/**
 * Checks a whole file to its end.
 * @param maxPixels in all frames together; a larger image is not decompressed
 * @throws BrokenImage, whose message completes "the file …"
 */
export async function inspectImage(bytes: Uint8Array, maxPixels: number): Promise<ImageType> {
  const type = imageType(bytes);
  if (!type) throw new BrokenImage(noImage(bytes));
  const frames = { png: framesOfPng, jpg: () => 1, webp: framesOfWebp }[type.extension];
  if (type.width * type.height * frames(bytes) > maxPixels)
    throw new BrokenImage(`has over ${maxPixels / 1e6} megapixels in all its frames`);
  for await (const _ of walkImage(one(bytes), type.extension, 'keep'));
  return type;
}

/** Completes "the file …". @param head of a file that `imageType` does not know */
export function noImage(head: Uint8Array): string {
  if (head.length === 0) return 'is empty';
  return `is no PNG, JPEG or WebP image: it looks like ${mediaTypeOf(head, '').contentType}`;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Reads a stream until its type is known by the `head`; the returned stream is the whole. Cancelling it cancels the source. */
export async function peek(
  source: ReadableStream<Uint8Array>,
): Promise<{ head: Buffer; stream: ReadableStream<Uint8Array> }> {
  const reader = source.getReader();
  const read: Uint8Array[] = [];
  let bytes = 0;
  let done = false;
  for (let wanted = HEAD; !done && bytes < wanted;) {
    const next = await reader.read();
    done = next.done;
    if (!next.value) continue;
    read.push(next.value);
    bytes += next.value.length;
    if (wanted === HEAD && bytes >= HEAD) wanted = headOf(formatOf(Buffer.concat(read)));
  }
  const head = Buffer.concat(read);
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const kept = read.shift();
      if (kept) return controller.enqueue(kept);
      const next = done ? { done, value: undefined } : await reader.read();
      if (next.value) controller.enqueue(next.value);
      if (next.done) controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { head, stream };
}

function headOf(format: ReturnType<typeof formatOf>): number {
  if (!format) return MEDIA_HEAD;
  return format.extension === 'jpg' ? JPEG_HEAD : HEAD;
}
