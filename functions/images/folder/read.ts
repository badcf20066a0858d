// The bytes of an open image: all of them or a range, each piece read when it is asked for. What
// another program has changed is never passed on as the whole.

import type { FileHandle } from 'node:fs/promises';
import { ReadableStream } from 'node:stream/web';
import { crc32 } from 'node:zlib';
import { RangeNotSatisfiable } from '../images.ts';

const PIECE = 256 * 1024;

export interface Part {
  from: number;
  /** Behind its last byte. */
  to: number;
}

/** @returns undefined for the whole: a range that cannot be read, and several at once, are ignored. @throws RangeNotSatisfiable */
export function rangeOf(range: string | undefined, sizeBytes: number): Part | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const isSuffix = first === '';
  const from = isSuffix ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const to = isSuffix || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (!isSuffix && last !== '' && Number(last) < from) return undefined;
  if (from >= to) throw new RangeNotSatisfiable(sizeBytes);
  return { from, to };
}

/** @param tags of If-None-Match; a proxy may have weakened one (`W/`) that still names the same image */
export function isSame(tags: string | undefined, etag: string): boolean {
  return tags?.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, ''))) ?? false;
}

/** @param sum the CRC32 of these bytes, base64; absent: they are a part. @throws where they have another */
export function bytesOfMemory(bytes: Uint8Array, sum?: string): Uint8Array {
  if (sum !== undefined) verify(crc32(bytes), sum);
  return bytes;
}

/** Closes the file at the end, as when it is cancelled. */
export function bytesOfFile(file: FileHandle, { from, to }: Part, sum?: string): ReadableStream<Uint8Array> {
  let at = from;
  let crc = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, to - at));
          const { bytesRead } = await file.read(piece, 0, piece.length, at);
          if (bytesRead === 0) throw changed();
          const read = piece.subarray(0, bytesRead);
          at += bytesRead;
          if (sum !== undefined) crc = crc32(read, crc);
          if (at === to) {
            // Before the last piece goes out: a reader that counts bytes would take them for the whole.
            if (sum !== undefined) verify(crc, sum);
            await file.close();
          }
          controller.enqueue(read);
          if (at === to) controller.close();
        } catch (error) {
          await file.close();
          throw error;
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
}

function verify(crc: number, sum: string): void {
  if (crc !== Buffer.from(sum, 'base64').readUInt32BE()) throw changed();
}

const changed = () => new Error('The file of the image was changed: its checksum is another');
