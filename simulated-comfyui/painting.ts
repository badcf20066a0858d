// The look of a simulated image: a mosaic derived from its key, with a caption that says that it is simulated.
// Does not look like a photograph; independent of file formats.
import { createHash } from 'node:crypto';
import { dotAt, glyphHeight, glyphWidth } from './font.ts';

export interface Subject {
  key: string;
  words: string;
}

interface Line {
  text: string;
  top: number;
  scale: number;
}

/** Rows of RGB. Outside the caption all rows of a band are the same, which makes them cheap. */
export class Painting {
  readonly width: number;
  readonly height: number;
  readonly #cell: number;
  readonly #lines: Line[];
  readonly #captionHeight: number;
  readonly #colours: [number, number, number][];
  readonly #phase: number[];

  constructor(subject: Subject, width: number, height: number, caption = `${width}X${height}`) {
    this.width = width;
    this.height = height;
    this.#cell = Math.max(1, Math.min(16, Math.floor(Math.min(width, height) / 16)));
    const hash = createHash('sha1').update(subject.key).digest();
    const colour = (at: number): [number, number, number] => [hash[at]!, hash[at + 1]!, hash[at + 2]!];
    this.#colours = [colour(0), colour(3)];
    this.#phase = [...hash.subarray(6, 10)].map((byte) => byte / 256);
    this.#lines = captionOf(['SIMULATED', subject.words, caption], width, height);
    const last = this.#lines.at(-1);
    this.#captionHeight =
      last === undefined ? 0 : Math.min(height, last.top + (glyphHeight + 1) * last.scale);
  }

  /** Whether this row repeats the one above it. */
  repeats(y: number): boolean {
    return y > this.#captionHeight && y % this.#cell !== 0;
  }

  /** Writes one row, 3 bytes a pixel. */
  row(y: number, into: Uint8Array, offset: number): void {
    const band = Math.floor(y / this.#cell);
    const [a, b] = this.#colours as [[number, number, number], [number, number, number]];
    const [p, q, r, s] = this.#phase as [number, number, number, number];
    let at = offset;
    for (let x = 0; x < this.width;) {
      const column = Math.floor(x / this.#cell);
      const wave = Math.sin(column * (0.1 + p / 3) + q * 6.3) + Math.sin(band * (0.1 + r / 3) + s * 6.3);
      const mix = 0.5 + wave / 4;
      const red = a[0] + (b[0] - a[0]) * mix;
      const green = a[1] + (b[1] - a[1]) * mix;
      const blue = a[2] + (b[2] - a[2]) * mix;
      for (const end = Math.min(this.width, (column + 1) * this.#cell); x < end; x++) {
        into[at++] = red;
        into[at++] = green;
        into[at++] = blue;
      }
    }
    if (y < this.#captionHeight) this.#write(y, into, offset);
  }

  #write(y: number, into: Uint8Array, offset: number): void {
    for (let at = offset; at < offset + this.width * 3; at++) into[at] = into[at]! >> 2;
    for (const { text, top, scale } of this.#lines) {
      const row = Math.floor((y - top) / scale);
      if (row < 0 || row >= glyphHeight) continue;
      const end = Math.min(this.width, (text.length * glyphWidth + 1) * scale);
      for (let x = scale; x < end; x++)
        if (dotAt(text, Math.floor(x / scale) - 1, row)) into.fill(255, offset + x * 3, offset + x * 3 + 3);
    }
  }
}

/** The first line as large as fits, the others smaller and only if there is space. */
function captionOf(texts: string[], width: number, height: number): Line[] {
  const lines: Line[] = [];
  let top = 1;
  for (const [index, text] of texts.entries()) {
    const scale = Math.max(1, Math.floor(width / (index === 0 ? 120 : 400)));
    if (text === '' || (index > 0 && top + 9 * scale > height / 2)) continue;
    lines.push({ text: text.slice(0, Math.ceil(width / (glyphWidth * scale))), top, scale });
    top += 9 * scale;
  }
  return lines;
}
