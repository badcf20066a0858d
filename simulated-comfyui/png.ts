// Writes a painting as a PNG file in RGB, with text chunks; fast to write and small.
// All but small images are deflated on another thread, so that the event loop is not blocked.
import { promisify } from 'node:util';
import { crc32, deflate, deflateSync } from 'node:zlib';
import type { Picture } from './painting.ts';

const deflateElsewhere = promisify<Buffer, { level: number }, Buffer>(deflate);
const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const smallBytes = 100_000;

/** `texts` become tEXt chunks: keyword and ASCII text. */
export async function encodePng(painting: Picture, texts: Record<string, string>): Promise<Buffer> {
  const { width, height } = painting;
  const stride = 1 + width * 3;
  // A zero row under the filter "Up" repeats the row above: most of the buffer stays as allocated.
  const raw = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    if (painting.repeats(y)) raw[y * stride] = 2;
    else {
      painting.row(y, raw, y * stride + 1);
      subtract(raw, y * stride, stride);
    }
  }
  const level = { level: 1 };
  const pixels = raw.length > smallBytes ? await deflateElsewhere(raw, level) : deflateSync(raw, level);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    ...Object.entries(texts).map(([keyword, text]) =>
      chunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1')),
    ),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The filter "Sub": what is of one colour becomes zeros. In place, from the end. */
function subtract(raw: Uint8Array, start: number, stride: number): void {
  raw[start] = 1;
  for (let at = start + stride - 1; at > start + 3; at--) raw[at] = raw[at]! - raw[at - 3]!;
}

function chunk(type: string, body: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + body.length);
  bytes.writeUInt32BE(body.length, 0);
  bytes.write(type, 4, 'latin1');
  body.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + body.length)), 8 + body.length);
  return bytes;
}
