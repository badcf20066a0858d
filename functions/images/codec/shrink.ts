// Shrinks an image: each pixel is the average of the area that it stands for. Own code, since @jsquash/resize copies the image twice, once
// as floats: 0.3 GB for one of 17 megapixels.

/** RGBA, a byte each. */
export interface Pixels {
  data: Uint8ClampedArray;
  width: number;
  height: number;
}

/** @param side of the longer one, in pixels; an image that is not larger stays as it is */
export function shrink(pixels: Pixels, side: number): Pixels {
  const scale = side / Math.max(pixels.width, pixels.height);
  if (scale >= 1) return pixels;
  const width = Math.max(1, Math.round(pixels.width * scale));
  const height = Math.max(1, Math.round(pixels.height * scale));
  const columns = spansOf(pixels.width, width);
  const data = new Uint8ClampedArray(width * height * 4);
  // Red, green and blue as far as they are opaque, and how far.
  const sums = new Float64Array(width * 4);
  for (const [row, { from, to }] of spansOf(pixels.height, height).entries()) {
    sums.fill(0);
    for (let y = Math.floor(from); y < to; y += 1)
      addRow(sums, pixels.data, y * pixels.width, columns, Math.min(y + 1, to) - Math.max(y, from));
    const area = (pixels.width / width) * (to - from);
    for (let at = 0; at < sums.length; at += 4) {
      const alpha = sums[at + 3]!;
      const out = row * width * 4 + at;
      for (let colour = 0; colour < 3; colour += 1)
        data[out + colour] = alpha === 0 ? 0 : sums[at + colour]! / alpha;
      data[out + 3] = alpha / area;
    }
  }
  return { data, width, height };
}

/** A part of a row or a column, from 0 on. */
interface Span {
  from: number;
  to: number;
}

function spansOf(length: number, count: number): Span[] {
  return Array.from({ length: count }, (_, at) => ({
    from: (at * length) / count,
    to: Math.min(length, ((at + 1) * length) / count),
  }));
}

/** @param start of the row, in pixels @param share of the row that counts */
function addRow(
  sums: Float64Array,
  data: Uint8ClampedArray,
  start: number,
  columns: readonly Span[],
  share: number,
): void {
  let sum = 0;
  for (const { from, to } of columns) {
    for (let x = Math.floor(from); x < to; x += 1) {
      const at = (start + x) * 4;
      const weight = share * (Math.min(x + 1, to) - Math.max(x, from)) * data[at + 3]!;
      sums[sum]! += weight * data[at]!;
      sums[sum + 1]! += weight * data[at + 1]!;
      sums[sum + 2]! += weight * data[at + 2]!;
      sums[sum + 3]! += weight;
    }
    sum += 4;
  }
}
