// A stream's bytes read by count or by piece, with put-back. It buffers one piece.

/** The file is not a whole image of its type. The message completes "the file …". */
export class BrokenImage extends Error {
  override readonly name = 'BrokenImage';
}

export class Source {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #kept: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#pieces = bytes[Symbol.asyncIterator]();
  }

  /** The next piece, or the bytes put back; undefined at the end. */
  async piece(): Promise<Buffer | undefined> {
    const kept = this.#kept;
    this.#kept = Buffer.alloc(0);
    if (kept.length > 0) return kept;
    for (;;) {
      const { done, value } = await this.#pieces.next();
      if (done) return undefined;
      if (value.length > 0) return Buffer.from(value.buffer, value.byteOffset, value.length);
    }
  }

  putBack(bytes: Buffer): void {
    this.#kept = this.#kept.length === 0 ? bytes : Buffer.concat([bytes, this.#kept]);
  }

  /** Exactly `count` bytes, in one buffer. @throws BrokenImage where the file ends before */
  async read(count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let missing = count; missing > 0;) {
      const piece = await this.#must();
      pieces.push(piece.subarray(0, missing));
      if (piece.length > missing) this.putBack(piece.subarray(missing));
      missing -= Math.min(missing, piece.length);
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** The next `count` bytes, in pieces. @throws BrokenImage where the file ends before */
  async *take(count: number): AsyncGenerator<Buffer> {
    for (let missing = count; missing > 0;) {
      const piece = await this.#must();
      if (piece.length > missing) this.putBack(piece.subarray(missing));
      yield piece.subarray(0, missing);
      missing -= Math.min(missing, piece.length);
    }
  }

  async *rest(): AsyncGenerator<Buffer> {
    for (let piece = await this.piece(); piece; piece = await this.piece()) yield piece;
  }

  async #must(): Promise<Buffer> {
    const piece = await this.piece();
    if (!piece) throw new BrokenImage('ends too early');
    return piece;
  }
}

/** More than any model makes, and few enough for a decoder's memory. */
export const MAX_SIDE = 65_535;
export const MAX_PIXELS = 400_000_000;

/** @throws BrokenImage for a size outside of the limits */
export function checkSize(width: number, height: number): void {
  if (width < 1 || height < 1) throw new BrokenImage(`says that it has ${width} × ${height} pixels`);
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    throw new BrokenImage(`says that it has ${width} × ${height} pixels, which is too many`);
}
