// The look of a simulated image, with a mark that says that it is simulated: a scene that the prompt's words call for, or, where it
// is small, a mosaic derived from its key. Does not look like a photograph; independent of file formats.
import { createHash } from 'node:crypto';
import { drawingOf, flat, mix } from './canvas.ts';
import { dotAt, glyphHeight, glyphWidth } from './font.ts';
import { randomOf, sceneOf } from './scene.ts';

export interface Subject {
  key: string;
  words: string;
  /** What the scene is drawn by: of the sampler, so that what only passes an image on shows the same. Absent: the key. */
  look?: string | undefined;
}

/** Rows of RGB. */
export interface Picture {
  width: number;
  height: number;
  /** Whether this row repeats the one above it. */
  repeats(y: number): boolean;
  /** Writes one row, 3 bytes a pixel. Asked for from the top down. */
  row(y: number, into: Uint8Array, offset: number): void;
}

/** Below this many pixels of the shorter side nothing could be recognized, and what is made by the thousand stays cheap. */
const SCENE_FROM = 192;

export function paintingOf(subject: Subject, width: number, height: number): Picture {
  return Math.min(width, height) < SCENE_FROM
    ? new Painting(subject, width, height)
    : marked(subject, width, height);
}

/** What a sampler shows before it is done: the scene under noise. @param done share of its steps */
export function unfinished(subject: Subject, width: number, height: number, done: number): Picture {
  const scene = sceneIn(subject, width, height);
  const random = randomOf(`${subject.key} ${done}`);
  return {
    ...scene,
    row(y, into, offset) {
      scene.row(y, into, offset);
      for (let at = offset; at < offset + width * 3; at++)
        into[at] = into[at]! * done + random() * 255 * (1 - done);
    },
  };
}

function marked(subject: Subject, width: number, height: number): Picture {
  const scene = sceneIn(subject, width, height);
  const mark = markOf(subject.key, width, height);
  return {
    ...scene,
    row(y, into, offset) {
      scene.row(y, into, offset);
      mark(y, into.subarray(offset, offset + width * 3));
    },
  };
}

function sceneIn({ key, words, look = key }: Subject, width: number, height: number): Picture {
  const unit = Math.min(width, height);
  const { sky, shapes } = sceneOf(words, look, width, height);
  const waiting = shapes
    .map((shape, at) => ({ at, ...drawingOf(shape, width, unit) }))
    .sort((a, b) => a.top - b.top);
  let next = 0;
  /** Those that touch the row, from the farthest to the nearest. */
  let open: typeof waiting = [];
  return {
    width,
    height,
    repeats: () => false,
    row(y, into, offset) {
      const high = (y / height) * 2;
      const [red, green, blue] = high < 1 ? mix(sky[0], sky[1], high) : mix(sky[1], sky[2], high - 1);
      const row = into.subarray(offset, offset + width * 3);
      flat(row, 0, width, red, green, blue);
      open = open.filter(({ bottom }) => bottom > y);
      const before = next;
      for (; next < waiting.length && waiting[next]!.top <= y; next++) open.push(waiting[next]!);
      if (next > before) open.sort((a, b) => a.at - b.at);
      for (const one of open) one.draw(y, row);
    },
  };
}

const MARK = 'SIMULATED';

/** A dark plate at the lower left with the word, and four squares by which two images differ if their keys do. */
function markOf(key: string, width: number, height: number): (y: number, row: Uint8Array) => void {
  const scale = Math.max(1, Math.floor(Math.min(width, height) / 220));
  const hash = createHash('sha1').update(key).digest();
  const [left, side] = [3 * scale, glyphHeight * scale];
  const [pad, gap] = [3 * scale, 2 * scale];
  const wide = MARK.length * glyphWidth * scale + 4 * (side + gap);
  const top = height - left - 2 * pad - side;
  return (y, row) => {
    const inside = y - top;
    if (inside < 0 || inside >= side + 2 * pad) return;
    for (let at = left * 3; at < Math.min(width, left + wide + 2 * pad) * 3; at++)
      row[at] = (row[at]! >> 2) + 12;
    const dot = Math.floor((inside - pad) / scale);
    if (inside < pad || dot >= glyphHeight) return;
    for (let x = 0; x < MARK.length * glyphWidth * scale; x++)
      if (dotAt(MARK, Math.floor(x / scale), dot)) {
        const at = (left + pad + x) * 3;
        row.fill(255, at, at + 3);
      }
    for (let square = 0; square < 4; square++) {
      const from = left + pad + MARK.length * glyphWidth * scale + square * (side + gap) + gap;
      flat(
        row,
        from,
        from + side,
        hash[square * 3]! | 64,
        hash[square * 3 + 1]! | 64,
        hash[square * 3 + 2]! | 64,
      );
    }
  };
}

interface Line {
  text: string;
  top: number;
  scale: number;
}

/** A mosaic. Outside the caption all rows of a band are the same, which makes them cheap. */
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
