// Checks a JPEG from its first marker to its last: segments, a size within bounds, a scan that ends. Source: ITU-T T.81,
// annex B. Entropy-coded data is not decoded: damage within it is not found.

import { BrokenImage, checkSize, type Source } from './source.ts';

const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];
/**
 * Comments and application segments: Exif, XMP, Photoshop and others (APP1 to APP15). JFIF, colour profile and Adobe's colour
 * transform (APP0, 2, 14) are part of the picture.
 */
const isMetadata = (code: number) =>
  code === 0xfe || (code > 0xe0 && code <= 0xef && code !== 0xe2 && code !== 0xee);

/** @param keep keeps metadata. @throws BrokenImage when the defect is reached */
export async function* walkJpeg(source: Source, keep: boolean): AsyncGenerator<Buffer> {
  yield await source.read(2);
  let sized = false;
  for (;;) {
    const code = await nextMarker(source);
    if (code === EOI) break;
    // Markers without a segment: restarts, and TEM.
    if ((code >= 0xd0 && code <= SOI) || code === 0x01) {
      yield Buffer.from([0xff, code]);
      continue;
    }
    const size = await source.read(2);
    const length = size.readUInt16BE(0) - 2;
    if (length < 0) throw new BrokenImage('has a damaged segment');
    if (isFrame(code)) {
      const head = await source.read(Math.min(length, 5));
      if (head.length < 5) throw new BrokenImage('has a damaged head');
      source.putBack(head);
      checkSize(head.readUInt16BE(3), head.readUInt16BE(1));
      sized = true;
    }
    const passes = keep || !isMetadata(code);
    if (passes) yield Buffer.concat([Buffer.from([0xff, code]), size]);
    for await (const piece of source.take(length)) if (passes) yield piece;
    if (code === SOS) {
      if (!sized) throw new BrokenImage('has no size');
      yield* scan(source);
    }
  }
  if (!sized) throw new BrokenImage('has no size');
  yield Buffer.from([0xff, EOI]);
  if (keep) yield* source.rest();
  else for await (const _ of source.rest());
}

/** A start of frame of any process; the codes in between that define tables are excluded. */
const isFrame = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);

/** A marker's code may follow any number of fill bytes. */
async function nextMarker(source: Source): Promise<number> {
  let [byte] = await source.read(1);
  if (byte !== 0xff) throw new BrokenImage('has a damaged segment');
  while (byte === 0xff) [byte] = await source.read(1);
  if (byte === 0) throw new BrokenImage('has a damaged segment');
  return byte!;
}

/** Up to the next marker outside of the scan, which is put back. */
async function* scan(source: Source): AsyncGenerator<Buffer> {
  for (;;) {
    const piece = await source.piece();
    if (!piece) throw new BrokenImage('ends in the middle of its pixels');
    let at = piece.indexOf(0xff);
    while (at >= 0 && at + 1 < piece.length && staysInScan(piece[at + 1]!)) at = piece.indexOf(0xff, at + 2);
    if (at < 0) {
      yield piece;
      continue;
    }
    if (at > 0) yield piece.subarray(0, at);
    source.putBack(piece.subarray(at));
    const pair = await source.read(2);
    if (!staysInScan(pair[1]!)) {
      source.putBack(pair);
      return;
    }
    yield pair;
  }
}

/** A stuffed byte or a restart marker. */
const staysInScan = (code: number) => code === 0 || (code >= 0xd0 && code <= 0xd7);

/** From the head of a file; undefined: it does not contain the frame header. */
export function jpegSize(buffer: Buffer): { width: number; height: number } | undefined {
  for (let at = 2; at + 9 <= buffer.length;) {
    if (buffer[at] !== 0xff) return undefined;
    while (buffer[at + 1] === 0xff) at += 1;
    const code = buffer[at + 1];
    if (code === undefined || code === 0 || code === SOS || code === EOI || at + 9 > buffer.length)
      return undefined;
    if (isFrame(code)) return { height: buffer.readUInt16BE(at + 5), width: buffer.readUInt16BE(at + 7) };
    const alone = (code >= 0xd0 && code <= SOI) || code === 0x01;
    at += alone ? 2 : 2 + buffer.readUInt16BE(at + 2);
  }
  return undefined;
}
