// An image with the alpha of a mask, as ComfyUI's POST /upload/mask makes it: a PNG of the same size, which keeps the texts of the
// original, its graph and canvas above all.

import { PNG } from 'pngjs';
import { MAX_UPLOAD_PIXELS } from '../../core/limits.ts';

/** Both must be PNGs of one size, of at most MAX_UPLOAD_PIXELS. Undefined: they are not. */
export async function masked(original: Buffer, mask: Buffer): Promise<Buffer | undefined> {
  if (pixelsOf(original) > MAX_UPLOAD_PIXELS || pixelsOf(mask) > MAX_UPLOAD_PIXELS) return undefined;
  const [image, alpha] = await Promise.all([decoded(original), decoded(mask)]);
  if (!image || !alpha || image.width !== alpha.width || image.height !== alpha.height) return undefined;
  for (let at = 3; at < image.data.length; at += 4) image.data[at] = alpha.data[at]!;
  const bytes = PNG.sync.write(image, { colorType: 6 });
  // Behind the signature and the header, which has 13 bytes.
  const [before, behind] = [bytes.subarray(0, 33), bytes.subarray(33)];
  return Buffer.concat([before, ...textsOf(original), behind]);
}

/** By its header, before anything is inflated. */
function pixelsOf(png: Buffer): number {
  return png.length < 33 ? Infinity : png.readUInt32BE(16) * png.readUInt32BE(20);
}

/** Undefined: it is no whole PNG. */
function decoded(bytes: Buffer): Promise<PNG | undefined> {
  return new Promise((resolve) => {
    new PNG().parse(bytes, (error, png) => resolve(error ? undefined : png));
  });
}

const TEXTS = ['tEXt', 'zTXt', 'iTXt'];

/** Whole chunks: length, type, data, checksum. */
function textsOf(png: Buffer): Buffer[] {
  const texts: Buffer[] = [];
  for (let at = 8; at + 12 <= png.length;) {
    const end = at + 12 + png.readUInt32BE(at);
    if (TEXTS.includes(png.toString('latin1', at + 4, at + 8))) texts.push(png.subarray(at, end));
    at = end;
  }
  return texts;
}
