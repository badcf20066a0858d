// The JPEG of a preview: a small painting, with one flat block of 8x8 per pixel.
// No detail: with flat blocks a baseline JPEG is its DC terms alone.
import type { Picture } from './painting.ts';

const dcCodeCounts = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const dcSymbols = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
/** By size of the difference: [code, bits], as the counts above define. */
const dcCodes = canonicalCodes();

function canonicalCodes(): [code: number, bits: number][] {
  const codes: [number, number][] = [];
  let code = 0;
  for (const [index, count] of dcCodeCounts.entries()) {
    for (let i = 0; i < count; i++) codes.push([code++, index + 1]);
    code <<= 1;
  }
  return codes;
}

function segment(marker: number, ...body: number[]): Buffer {
  const length = body.length + 2;
  return Buffer.from([0xff, marker, length >> 8, length & 255, ...body]);
}

/** Returns an image eight times as wide and high as the painting. */
export function encodeBlockyJpeg(painting: Picture): Buffer {
  const width = painting.width * 8;
  const height = painting.height * 8;
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe0, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0),
    // Every step 8: the DC term of a flat block is eight times its value, so it is stored as the value.
    segment(0xdb, 0, ...Array.from({ length: 64 }, () => 8)),
    segment(0xc0, 8, ...size, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0),
    segment(0xc4, 0x00, ...dcCodeCounts, ...dcSymbols),
    // The AC table has one symbol, "end of block", as the single bit 0.
    segment(0xc4, 0x10, 1, ...Array.from({ length: 15 }, () => 0), 0),
    segment(0xda, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0),
    scan(painting),
    Buffer.from([0xff, 0xd9]),
  ]);
}

function scan(painting: Picture): Buffer {
  const bytes: number[] = [];
  let held = 0;
  let heldBits = 0;
  const put = (value: number, bits: number) => {
    for (let bit = bits - 1; bit >= 0; bit--) {
      held = (held << 1) | ((value >> bit) & 1);
      if (++heldBits < 8) continue;
      bytes.push(held);
      if (held === 0xff) bytes.push(0);
      held = 0;
      heldBits = 0;
    }
  };
  const previous = [0, 0, 0];
  const row = new Uint8Array(painting.width * 3);
  for (let y = 0; y < painting.height; y++) {
    painting.row(y, row, 0);
    for (let x = 0; x < row.length; x += 3) {
      for (const [component, value] of yCbCr(row[x]!, row[x + 1]!, row[x + 2]!).entries()) {
        const difference = value - previous[component]!;
        previous[component] = value;
        const size = difference === 0 ? 0 : 32 - Math.clz32(Math.abs(difference));
        put(...dcCodes[size]!);
        put(difference < 0 ? difference + (1 << size) - 1 : difference, size);
        put(0, 1);
      }
    }
  }
  if (heldBits > 0) put(0xff, 8 - heldBits);
  return Buffer.from(bytes);
}

function yCbCr(red: number, green: number, blue: number): [number, number, number] {
  return [
    Math.round(0.299 * red + 0.587 * green + 0.114 * blue) - 128,
    Math.round(-0.1687 * red - 0.3313 * green + 0.5 * blue),
    Math.round(0.5 * red - 0.4187 * green - 0.0813 * blue),
  ];
}
