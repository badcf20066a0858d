// Draws flat shapes with smooth edges, row by row: what a painting of a scene is made of. Pure; knows no subjects.

export type Colour = [red: number, green: number, blue: number];
export type Point = [x: number, y: number];

/** Measured in the shorter side of the picture: 0, 0 is its top left. */
export type Shape =
  /** Everything below a line of heights, one for each column. */
  | { below: Float32Array; from: Colour; to: Colour; top: number; bottom: number }
  /** The inside of an outline. @property alpha of 1: opaque */
  | { outline: Point[]; colour: Colour; alpha?: number }
  /** A light that fades to its edge. */
  | { glow: Point; radius: number; colour: Colour; alpha: number };

export const mix = (a: Colour, b: Colour, share: number): Colour => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

/** @param hue degrees from 0; saturation and lightness 0 to 1 */
export function ofHue(hue: number, saturation: number, lightness: number): Colour {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    return 255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [part(0), part(8), part(4)];
}

const SUBROWS = 3;

export interface Drawing {
  /** Rows that it touches, from `top` to before `bottom`. */
  top: number;
  bottom: number;
  /** Pixels of one row, over what is there. */
  draw(y: number, row: Uint8Array): void;
}

/** @param unit pixels of the shorter side */
export function drawingOf(shape: Shape, width: number, unit: number): Drawing {
  if ('below' in shape) return drawBelow(shape, width);
  if ('glow' in shape) return drawGlow(shape, width, unit);
  return drawOutline(shape, width, unit);
}

function drawBelow(
  { below, from, to, top, bottom }: Extract<Shape, { below: Float32Array }>,
  width: number,
): Drawing {
  const pattern = new Uint8Array(width * 3);
  return {
    top: Math.floor(below.reduce((least, one) => Math.min(least, one), Infinity)),
    bottom: Infinity,
    draw(y, row) {
      const [red, green, blue] = mix(from, to, clamp((y - top) / Math.max(1, bottom - top)));
      flat(pattern, 0, width, red, green, blue);
      let start = -1;
      for (let x = 0; x < width; x++) {
        const covered = y + 1 - below[x]!;
        if (covered >= 1) {
          if (start < 0) start = x;
          continue;
        }
        if (start >= 0) row.set(pattern.subarray(start * 3, x * 3), start * 3);
        start = -1;
        if (covered > 0) blend(row, x * 3, red, green, blue, covered);
      }
      if (start >= 0) row.set(pattern.subarray(start * 3, width * 3), start * 3);
    },
  };
}

/** Pixels that share one strength: nothing is seen of it, and most of the work is saved. */
const GLOW_STEP = 4;

function drawGlow(
  { glow: [cx, cy], radius, colour, alpha }: Extract<Shape, { glow: Point }>,
  width: number,
  unit: number,
): Drawing {
  const [red, green, blue] = colour.map(Math.round) as Colour;
  const [x0, y0, r] = [cx * unit, cy * unit, radius * unit];
  return {
    top: Math.floor(y0 - r),
    bottom: Math.ceil(y0 + r),
    draw(y, row) {
      const dy = y + 0.5 - y0;
      const half = Math.sqrt(Math.max(0, r * r - dy * dy));
      const end = Math.min(width, Math.ceil(x0 + half));
      for (let x = Math.max(0, Math.floor((x0 - half) / GLOW_STEP) * GLOW_STEP); x < end; x += GLOW_STEP) {
        const dx = x + GLOW_STEP / 2 - x0;
        const near = 1 - (dx * dx + dy * dy) / (r * r);
        if (near <= 0) continue;
        const share = near * near * alpha;
        const stop = Math.min(end, x + GLOW_STEP) * 3;
        const parts = (share * 256 + 0.5) | 0;
        for (let at = x * 3; at < stop; at += 3) {
          row[at] = row[at]! + (((red - row[at]!) * parts) >> 8);
          row[at + 1] = row[at + 1]! + (((green - row[at + 1]!) * parts) >> 8);
          row[at + 2] = row[at + 2]! + (((blue - row[at + 2]!) * parts) >> 8);
        }
      }
    },
  };
}

function drawOutline(
  { outline, colour: [red, green, blue], alpha = 1 }: Extract<Shape, { outline: Point[] }>,
  width: number,
  unit: number,
): Drawing {
  const count = outline.length;
  const xs = Float64Array.from(outline, ([x]) => x * unit);
  const ys = Float64Array.from(outline, ([, y]) => y * unit);
  let covered: Float32Array | undefined;
  const cover = (from: number, to: number) => {
    for (let x = Math.floor(from); x < to; x++)
      covered![x]! += (Math.min(to, x + 1) - Math.max(from, x)) / SUBROWS;
  };

  /** In order, into `crossings`. @returns how many */
  function cross(y: number): number {
    let found = 0;
    for (let at = 0, before = count - 1; at < count; before = at++) {
      const [ay, by] = [ys[before]!, ys[at]!];
      if (ay <= y === by <= y) continue;
      const x = xs[before]! + ((y - ay) / (by - ay)) * (xs[at]! - xs[before]!);
      let place = found++;
      for (; place > 0 && crossings[place - 1]! > x; place--) crossings[place] = crossings[place - 1]!;
      crossings[place] = x;
    }
    return found;
  }

  return {
    top: Math.floor(ys.reduce((least, one) => Math.min(least, one), Infinity)),
    bottom: Math.ceil(ys.reduce((most, one) => Math.max(most, one), -Infinity)),
    draw(y, row) {
      covered ??= new Float32Array(width + 1);
      let spans = 0;
      let isWhole = true;
      let [least, most, from, to] = [width, 0, 0, width];
      for (let sub = 0; sub < SUBROWS; sub++) {
        const found = cross(y + (sub + 0.5) / SUBROWS);
        if (found !== 2) isWhole = false;
        for (let at = 0; at + 1 < found; at += 2) {
          const left = Math.max(0, crossings[at]!);
          const right = Math.min(width, crossings[at + 1]!);
          if (right <= left) continue;
          lefts[spans] = left;
          rights[spans] = right;
          spans += 1;
          least = Math.min(least, left);
          most = Math.max(most, right);
          from = Math.max(from, left);
          to = Math.min(to, right);
        }
      }
      if (spans === 0) return;
      // Between the edges it is covered in all of the row.
      from = Math.ceil(from);
      to = Math.floor(to);
      const hasInside = isWhole && spans === SUBROWS && to > from;
      for (let at = 0; at < spans; at++)
        if (hasInside) {
          cover(lefts[at]!, from);
          cover(to, rights[at]!);
        } else cover(lefts[at]!, rights[at]!);
      for (let x = Math.floor(least); x < most; x++) {
        if (hasInside && x === from) {
          if (alpha === 1) flat(row, from, to, red, green, blue);
          else for (let at = from; at < to; at++) blend(row, at * 3, red, green, blue, alpha);
          x = to - 1;
          continue;
        }
        const share = covered[x]!;
        covered[x] = 0;
        if (share > 0) blend(row, x * 3, red, green, blue, Math.min(1, share) * alpha);
      }
    },
  };
}

// Of one row of one shape: made once, since there are some hundred thousand.
const crossings = new Float64Array(1024);
const lefts = new Float64Array(1024);
const rights = new Float64Array(1024);

/** One colour from `start` to `end`. */
export function flat(
  into: Uint8Array,
  start: number,
  end: number,
  red: number,
  green: number,
  blue: number,
): void {
  const bytes = (end - start) * 3;
  if (bytes <= 0) return;
  if (bytes < 64) {
    for (let at = start * 3; at < end * 3; at += 3) {
      into[at] = red;
      into[at + 1] = green;
      into[at + 2] = blue;
    }
    return;
  }
  into[start * 3] = red;
  into[start * 3 + 1] = green;
  into[start * 3 + 2] = blue;
  for (let done = 3; done < bytes; done *= 2)
    into.copyWithin(start * 3 + done, start * 3, start * 3 + Math.min(done, bytes - done));
}

/** In whole numbers: much of a picture's time is spent here. */
function blend(into: Uint8Array, at: number, red: number, green: number, blue: number, share: number): void {
  const parts = (share * 256 + 0.5) | 0;
  const r = into[at]!;
  const g = into[at + 1]!;
  const b = into[at + 2]!;
  into[at] = r + ((((red | 0) - r) * parts) >> 8);
  into[at + 1] = g + ((((green | 0) - g) * parts) >> 8);
  into[at + 2] = b + ((((blue | 0) - b) * parts) >> 8);
}

export const clamp = (value: number): number => Math.max(0, Math.min(1, value));

export function ellipse(cx: number, cy: number, rx: number, ry = rx, turn = 0, points = 48): Point[] {
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return Array.from({ length: points }, (_, at) => {
    const angle = (at / points) * 2 * Math.PI;
    const [x, y] = [Math.cos(angle) * rx, Math.sin(angle) * ry];
    return [cx + x * cos - y * sin, cy + x * sin + y * cos];
  });
}

export const box = (left: number, top: number, right: number, bottom: number): Point[] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];

/** A closed curve through points near these: corners become round. */
export function smooth(points: readonly Point[], rounds = 3): Point[] {
  let now = [...points];
  for (let round = 0; round < rounds; round++)
    now = now.flatMap(([ax, ay], at): Point[] => {
      const [bx, by] = now[(at + 1) % now.length]!;
      return [
        [ax * 0.75 + bx * 0.25, ay * 0.75 + by * 0.25],
        [ax * 0.25 + bx * 0.75, ay * 0.25 + by * 0.75],
      ];
    });
  return now;
}
