// Checks a WebP from its first chunk to its last: RIFF sizes add up, there is a picture, and all frames together stay within
// bounds. Source: RFC 9649. Without metadata the size in the header changes, so that the whole file is buffered.

import { BrokenImage, checkSize, MAX_PIXELS, type Source } from './source.ts';

/** Chunks of the picture; all others are metadata: `EXIF`, `XMP ` and private ones. */
const PICTURE = new Set(['VP8X', 'VP8 ', 'VP8L', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
const EXIF_AND_XMP = 0x08 | 0x04;
/** Of a buffered file, bytes. */
const MAX_BUFFERED = 64 * 1024 * 1024;

/** @param keep keeps metadata. @throws BrokenImage when the defect is reached */
export async function* walkWebp(source: Source, keep: boolean): AsyncGenerator<Buffer> {
  if (keep) {
    yield* chunksOf(source, true);
    return;
  }
  const pieces: Buffer[] = [];
  let buffered = 0;
  for await (const piece of chunksOf(source, false)) {
    buffered += piece.length;
    if (buffered > MAX_BUFFERED)
      throw new BrokenImage(`has over ${MAX_BUFFERED} bytes, too many to take its metadata out`);
    pieces.push(piece);
  }
  const whole = Buffer.concat(pieces);
  whole.writeUInt32LE(whole.length - 8, 4);
  yield whole;
}

async function* chunksOf(source: Source, keep: boolean): AsyncGenerator<Buffer> {
  const riff = await source.read(12);
  yield riff;
  let left = riff.readUInt32LE(4) - 4;
  let frames = 0;
  let canvas = 0;
  while (left > 0) {
    const head = await source.read(8);
    const type = head.toString('latin1', 0, 4);
    const size = head.readUInt32LE(4);
    const padded = size + (size % 2);
    left -= 8 + padded;
    if (left < 0) throw new BrokenImage('has a chunk that is larger than the file says');
    const passes = keep || PICTURE.has(type);
    if (passes) yield head;
    if (type === 'VP8X' && size >= 10) {
      const body = await source.read(10);
      const [width, height] = [body.readUIntLE(4, 3) + 1, body.readUIntLE(7, 3) + 1];
      checkSize(width, height);
      canvas = width * height;
      if (!keep) body[0] = body[0]! & ~EXIF_AND_XMP;
      source.putBack(body);
    }
    if (type === 'VP8 ' || type === 'VP8L' || type === 'ANMF') {
      frames += 1;
      if (size < 5) throw new BrokenImage('has an empty picture');
      if (frames * canvas > MAX_PIXELS) throw new BrokenImage('has too many pixels in all its frames');
    }
    for await (const piece of source.take(padded)) if (passes) yield piece;
  }
  if (frames === 0) throw new BrokenImage('has no picture in it');
  if (keep) yield* source.rest();
  else for await (const _ of source.rest());
}

/** Frames of a whole file; 1 where it is not an animation. */
export function framesOfWebp(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let frames = 0;
  for (let at = 12; at + 8 <= file.length;) {
    if (file.toString('latin1', at, at + 4) === 'ANMF') frames += 1;
    const size = file.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
  }
  return Math.max(1, frames);
}

/** Of an animation its first frame as a file of its own, without the canvas around it; else the file. RFC 9649, 2.7.1.1. */
export function stillOfWebp(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 12; at + 8 <= file.length;) {
    const size = file.readUInt32LE(at + 4);
    if (file.toString('latin1', at, at + 4) === 'ANMF') return still(file.subarray(at + 8, at + 8 + size));
    at += 8 + size + (size % 2);
  }
  return bytes;
}

const [RIFF_HEAD, FRAME_HEAD, VP8X_SIZE, ALPHA] = [12, 16, 10, 0x10];

/** @param frame the body of an ANMF chunk: where it lies, how large it is, and its chunks */
function still(frame: Buffer): Buffer {
  const chunks = frame.subarray(FRAME_HEAD);
  const head = Buffer.alloc(RIFF_HEAD + 8 + VP8X_SIZE);
  head.write('RIFF');
  head.writeUInt32LE(head.length - 8 + chunks.length, 4);
  head.write('WEBPVP8X', 8);
  head.writeUInt32LE(VP8X_SIZE, 16);
  head[20] = chunks.toString('latin1', 0, 4) === 'VP8 ' ? 0 : ALPHA;
  // Width and height, less one.
  frame.copy(head, 24, 6, 12);
  return Buffer.concat([head, chunks]);
}

/** From the head of a file of any of the three kinds; undefined: none of them. RFC 9649, 2.5 to 2.7. */
export function webpSize(bytes: Buffer): { width: number; height: number } | undefined {
  const type = bytes.toString('latin1', 12, 16);
  if (type === 'VP8X' && bytes.length >= 30)
    return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (type === 'VP8L' && bytes[20] === 0x2f && bytes.length >= 25) {
    const bits = bytes.readUInt32LE(21);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  // After the frame tag and the start code.
  if (type === 'VP8 ' && bytes.length >= 30 && bytes.readUIntBE(23, 3) === 0x9d012a)
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  return undefined;
}
