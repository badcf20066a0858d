// A JPEG from its first marker to its last: segments, a size within bounds, a scan that ends. Source: ITU-T T.81, annex B.
// Its entropy-coded data is passed on unread: a picture that is whole but blotted is the model's business.

import { BrokenImage, checkSize, type Source } from './source.ts';

const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];
/**
 * Exif and XMP, Photoshop's, comments, and whatever a program calls its own (APP1 to APP15). JFIF, colour profile and
 * Adobe's colour transform (APP0, 2, 14) are the picture's.
 */
const isMetadata = (code: number) =>
  code === 0xfe || (code > 0xe0 && code <= 0xef && code !== 0xe2 && code !== 0xee);

/** @param keep with its metadata @throws BrokenImage once it is read that far */
export async function* walkJpeg(source: Source, keep: boolean): AsyncGenerator<Buffer> {
  yield await source.read(2);
  let sized = false;
  for (;;) {
    const code = await nextMarker(source);
    if (code === EOI) break;
    // Markers that stand alone: restarts, and TEM.
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

/** Start of frame, of whatever process; not the tables that are numbered between them. */
const isFrame = (code: number) => code >= 0xc0 && code <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(code);

/** Any number of fill bytes may stand before a marker's code. */
async function nextMarker(source: Source): Promise<number> {
  let [byte] = await source.read(1);
  if (byte !== 0xff) throw new BrokenImage('has a damaged segment');
  while (byte === 0xff) [byte] = await source.read(1);
  if (byte === 0) throw new BrokenImage('has a damaged segment');
  return byte!;
}

/** Up to the next marker that is none of the scan's own, which is put back. */
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

/** A stuffed byte or a restart. */
const staysInScan = (code: number) => code === 0 || (code >= 0xd0 && code <= 0xd7);

/** Of the head of a file; undefined where it has no frame in it. */
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
