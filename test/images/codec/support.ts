// Files to convert: made by pngjs, and what is made of them by the codec itself.

import { crc32 } from 'node:zlib';
import { PNG } from 'pngjs';
import { type CodecOptions, createCodec } from '../../../functions/images/codec/codec.ts';
import type { Codec } from '../../../functions/images/codec/order.ts';
import { codecProgram } from '../../../functions/runtime/codec-program.ts';
import { build } from '../../support/program.ts';

export async function startCodec(options?: CodecOptions): Promise<Codec> {
  await build();
  return createCodec(codecProgram(), options);
}

/** Smooth colours with noise, as of a photograph. */
export function photo(width: number, height: number, alpha = 255): Buffer {
  const png = new PNG({ width, height });
  let seed = 1;
  for (let at = 0; at < png.data.length; at += 4) {
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    const noise = (seed / 0x7fffffff - 0.5) * 12;
    png.data[at] = 128 + 90 * Math.sin(x / 70) + noise;
    png.data[at + 1] = 128 + 80 * Math.sin((x + y) / 90) + noise;
    png.data[at + 2] = 128 + 70 * Math.cos(y / 60) + noise;
    png.data[at + 3] = alpha;
  }
  return PNG.sync.write(png);
}

function chunk(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** Two frames, each the picture of a still WebP without alpha. */
export function animated(still: Uint8Array, width: number, height: number): Buffer {
  const picture = Buffer.from(still.subarray(12));
  const vp8x = Buffer.alloc(10);
  vp8x[0] = 0x02;
  vp8x.writeUIntLE(width - 1, 4, 3);
  vp8x.writeUIntLE(height - 1, 7, 3);
  const frame = Buffer.alloc(16);
  frame.writeUIntLE(width - 1, 6, 3);
  frame.writeUIntLE(height - 1, 9, 3);
  frame.writeUIntLE(100, 12, 3);
  const frames = [1, 2].map(() => chunk('ANMF', Buffer.concat([frame, picture])));
  const body = Buffer.concat([chunk('VP8X', vp8x), chunk('ANIM', Buffer.alloc(6)), ...frames]);
  const head = Buffer.from('RIFF....WEBP');
  head.writeUInt32LE(body.length + 4, 4);
  return Buffer.concat([head, body]);
}

/** A PNG whose header says another size than its pixels have. */
export function claiming(png: Buffer, width: number, height: number): Buffer {
  const claims = Buffer.from(png);
  claims.writeUInt32BE(width, 16);
  claims.writeUInt32BE(height, 20);
  claims.writeUInt32BE(crc32(claims.subarray(12, 29)), 29);
  return claims;
}
