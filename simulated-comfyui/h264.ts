// A film in H.264 whose macroblocks are stored as they are (I_PCM): a painting, and a bar at its foot that grows. Does not compress.
// Source: ITU-T H.264 (08/2021), ISO/IEC 14496-15.
import { u16, u32 } from './bytes.ts';
import type { Picture } from './painting.ts';

export const FRAMES = 12;
/** ms */
export const FRAME_LASTS = 125;
export const FILM = { width: 256, height: 192 };

/** Writes bits: fixed ones, and the standard's ue(v). */
class Bits {
  readonly #bytes: number[] = [];
  #bit = 0;

  bits(value: number, count: number): this {
    for (let at = count - 1; at >= 0; at--) {
      if (this.#bit === 0) this.#bytes.push(0);
      this.#bytes[this.#bytes.length - 1]! |= ((value >> at) & 1) << (7 - this.#bit);
      this.#bit = (this.#bit + 1) % 8;
    }
    return this;
  }

  ue(...values: number[]): this {
    for (const value of values) this.bits(value + 1, 2 * Math.floor(Math.log2(value + 1)) + 1);
    return this;
  }

  /** At a whole byte. */
  raw(bytes: Uint8Array): this {
    while (this.#bit !== 0) this.bits(0, 1);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** A NAL unit of it: what looks like a start code is broken up. */
  nal(header: number): Buffer {
    this.bits(1, 1).raw(new Uint8Array());
    const out = [header];
    let zeros = 0;
    for (const byte of this.#bytes) {
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    return Buffer.from(out);
  }
}

const ACROSS = FILM.width / 16;
const DOWN = FILM.height / 16;

const sequence = new Bits()
  // Constrained baseline, level 3.
  .bits(0x42c01e, 24)
  // Decoded in the order in which it is shown, by one frame before.
  .ue(0, 0, 2, 1)
  .bits(0, 1)
  .ue(ACROSS - 1, DOWN - 1)
  .bits(0b1100, 4)
  .nal(0x67);
const pictures = new Bits().ue(0, 0).bits(0, 2).ue(0, 0, 0).bits(0, 3).ue(0, 0, 0).bits(0b100, 3).nal(0x68);

/** 384 samples of a macroblock: luma, then both chromas at half of its size. */
type Block = Uint8Array;

/** Red, green and blue to BT.601. */
function blocksOf(picture: Picture): Block[] {
  const blocks = Array.from({ length: ACROSS * DOWN }, () => new Uint8Array(384));
  const row = new Uint8Array(FILM.width * 3);
  for (let y = 0; y < FILM.height; y++) {
    if (!picture.repeats(y) || y === 0) picture.row(y, row, 0);
    for (let x = 0; x < FILM.width; x++) {
      const [r, g, b] = row.subarray(x * 3, x * 3 + 3) as unknown as [number, number, number];
      const block = blocks[(y >> 4) * ACROSS + (x >> 4)]!;
      block[(y & 15) * 16 + (x & 15)] = 16 + (66 * r + 129 * g + 25 * b) / 256;
      if (x % 2 === 1 || y % 2 === 1) continue;
      const at = 256 + ((y & 15) >> 1) * 8 + ((x & 15) >> 1);
      block[at] = 128 + (-38 * r - 74 * g + 112 * b) / 256;
      block[at + 64] = 128 + (112 * r - 94 * g - 18 * b) / 256;
    }
  }
  return blocks;
}

/** The painting, and frames that change nothing of it but a bar at its foot, which grows. */
export function h264(picture: Picture): Buffer[] {
  const first = new Bits().ue(0, 7, 0).bits(0, 4).ue(0).bits(0, 2).ue(0, 1);
  for (const block of blocksOf(picture)) first.ue(25).raw(block);
  const white = new Uint8Array(384).fill(235, 0, 256).fill(128, 256);
  const later = Array.from({ length: FRAMES - 1 }, (_, index) => {
    const at = ACROSS * (DOWN - 1) + index;
    return new Bits()
      .ue(0, 5, 0)
      .bits((index + 1) % 16, 4)
      .bits(0, 3)
      .ue(0, 1)
      .ue(at, 30)
      .raw(white)
      .ue(ACROSS * DOWN - at - 1)
      .nal(0x41);
  });
  return [first.nal(0x65), ...later].map((nal) => Buffer.concat([u32(nal.length), nal]));
}

/** How a decoder begins. */
export const avcC = Buffer.concat([
  Buffer.from([1, 0x42, 0xc0, 0x1e, 0xff, 0xe1]),
  u16(sequence.length),
  sequence,
  Buffer.from([1]),
  u16(pictures.length),
  pictures,
]);
