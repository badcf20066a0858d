// Checks a PNG from its first byte to its last: chunks, checksums, and as many pixels as its header declares. Source: PNG
// (third edition), "Datastream structure" and "Interlacing and pass extraction". It keeps no pixels.

import { once } from 'node:events';
import { crc32, createInflate } from 'node:zlib';
import { BrokenImage, checkSize, type Source } from './source.ts';

/**
 * Chunks of the picture, its colours and its animation. All others are metadata: texts, Exif, and private chunks such as
 * `comf`, in which ComfyUI's SaveAnimatedPNG writes the graph.
 */
const PICTURE = new Set(
  [
    'IHDR PLTE IDAT IEND tRNS acTL fcTL fdAT',
    'cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT',
  ].flatMap((types) => types.split(' ')),
);
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** @param keep keeps metadata. @throws BrokenImage when the defect is reached */
export async function* walkPng(source: Source, keep: boolean): AsyncGenerator<Buffer> {
  yield await source.read(8);
  let pixels: Pixels | undefined;
  for (;;) {
    const head = await source.read(8);
    const length = head.readUInt32BE(0);
    const type = head.toString('latin1', 4, 8);
    if (length > 0x7fffffff || !/^[A-Za-z]{4}$/.test(type)) throw new BrokenImage('has a damaged chunk');
    if ((pixels === undefined) !== (type === 'IHDR')) throw new BrokenImage('does not begin with its size');
    if (type === 'IHDR') {
      if (length !== 13) throw new BrokenImage('has a damaged head');
      const ihdr = await source.read(13);
      source.putBack(ihdr);
      pixels = new Pixels(bytesOfPixels(ihdr));
    }
    const passes = keep || PICTURE.has(type);
    if (passes) yield head;
    let sum = crc32(head.subarray(4));
    for await (const piece of source.take(length)) {
      sum = crc32(piece, sum);
      if (type === 'IDAT') await pixels!.write(piece);
      if (passes) yield piece;
    }
    const said = await source.read(4);
    if (said.readUInt32BE(0) !== sum) throw new BrokenImage(`is damaged: the checksum of ${type} is wrong`);
    if (type === 'IEND') await pixels!.end();
    if (passes) yield said;
    if (type === 'IEND') break;
  }
  if (keep) yield* source.rest();
  else for await (const _ of source.rest());
}

/** Frames of a whole file. An animation's header precedes its first pixels. */
export function framesOfPng(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8; at + 12 <= file.length; at += 12 + file.readUInt32BE(at)) {
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'acTL') return Math.max(1, file.readUInt32BE(at + 8));
    if (type === 'IDAT') break;
  }
  return 1;
}

/** The uncompressed bytes of all rows. */
function bytesOfPixels(ihdr: Buffer): number {
  const [width, height] = [ihdr.readUInt32BE(0), ihdr.readUInt32BE(4)];
  const [depth, colour, interlaced] = [ihdr[8]!, ihdr[9]!, ihdr[12] === 1];
  checkSize(width, height);
  const samples = SAMPLES[colour];
  if (samples === undefined || ![1, 2, 4, 8, 16].includes(depth)) throw new BrokenImage('has a damaged head');
  const rows = (columns: number, lines: number) =>
    columns === 0 ? 0 : lines * (1 + Math.ceil((columns * samples * depth) / 8));
  if (!interlaced) return rows(width, height);
  const passes = [
    [0, 0, 8, 8],
    [4, 0, 8, 8],
    [0, 4, 4, 8],
    [2, 0, 4, 4],
    [0, 2, 2, 4],
    [1, 0, 2, 2],
    [0, 1, 1, 2],
  ] as const;
  return passes.reduce(
    (sum, [x, y, dx, dy]) => sum + rows(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
}

/** Decompresses and counts; keeps nothing. */
class Pixels {
  readonly #inflate = createInflate();
  readonly #expected: number;
  #found = 0;
  #error: Error | undefined;

  constructor(expected: number) {
    this.#expected = expected;
    this.#inflate.on('data', (piece: Buffer) => {
      this.#found += piece.length;
      // Decompression stops at the expected size: a small file can expand to any number of zeros.
      if (this.#found > expected) this.#inflate.destroy(new Error('too many pixels'));
    });
    this.#inflate.on('error', (error) => {
      this.#error = error;
    });
  }

  async write(piece: Buffer): Promise<void> {
    // Bytes behind the end of the compressed stream are ignored.
    if (this.#error || this.#inflate.readableEnded) return;
    if (this.#inflate.write(piece)) return;
    await this.#taken();
  }

  /** Resolves on drain or close, and removes its listeners: a large image is written in many pieces. */
  #taken(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#inflate.off('drain', done).off('close', done);
        resolve();
      };
      this.#inflate.on('drain', done).on('close', done);
    });
  }

  async end(): Promise<void> {
    if (!this.#inflate.closed) {
      const closed = once(this.#inflate, 'close').catch(() => undefined);
      this.#inflate.end();
      await closed;
    }
    if (this.#found > this.#expected) throw new BrokenImage('has more pixels than it says');
    if (this.#error) throw new BrokenImage('has pixels that cannot be unpacked');
    if (this.#found < this.#expected) throw new BrokenImage('has fewer pixels than it says');
  }
}

/** From the head of a file; undefined: it does not begin with IHDR. */
export function pngSize(bytes: Buffer): { width: number; height: number } | undefined {
  if (bytes.length < 24 || bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}
