// The texts that ComfyUI writes into the pictures that it saves: the graph that ran (`prompt`), and the canvas that it came
// from (`workflow`). PNG has them in chunks of text, an animated one in chunks of ComfyUI's own (`comf`), WebP
// in its EXIF. Source: SaveImage, SaveAnimatedPNG and SaveAnimatedWEBP of 0.33.0.

import { inflateSync } from 'node:zlib';
import { unreadable } from './fault.ts';

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export type Texts = Map<string, string>;

export function isPicture(bytes: Buffer): boolean {
  return isPng(bytes) || isWebp(bytes) || isJpeg(bytes);
}

const isPng = (bytes: Buffer) => bytes.subarray(0, 8).equals(PNG);
const isWebp = (bytes: Buffer) =>
  bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
const isJpeg = (bytes: Buffer) => bytes[0] === 0xff && bytes[1] === 0xd8;

/** @param most bytes of a text. @throws UnreadableFile for a picture that ends within its texts */
export function textsOf(bytes: Buffer, most: number): Texts {
  try {
    if (isPng(bytes)) return pngTexts(bytes, most);
    return isWebp(bytes) ? webpTexts(bytes) : new Map();
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof Error && 'code' in error)) throw error;
    throw unreadable(
      'unreadable',
      'The picture is damaged: it ends within its metadata; send the file that ComfyUI saved',
    );
  }
}

function pngTexts(bytes: Buffer, most: number): Texts {
  const texts: Texts = new Map();
  for (let at = PNG.length; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) throw new RangeError('the chunk ends after the file');
    const text = textOf(type, bytes.subarray(at + 8, end), most);
    if (text && !texts.has(text.name)) texts.set(text.name, text.value);
    if (type === 'IEND') break;
    at = end + 4;
  }
  return texts;
}

function textOf(type: string, chunk: Buffer, most: number): { name: string; value: string } | undefined {
  if (!['tEXt', 'comf', 'zTXt', 'iTXt'].includes(type)) return undefined;
  const zero = chunk.indexOf(0);
  if (zero < 1) return undefined;
  const name = chunk.toString('latin1', 0, zero);
  const rest = chunk.subarray(zero + 1);
  if (type === 'tEXt' || type === 'comf') return { name, value: rest.toString('latin1') };
  if (type === 'zTXt') return { name, value: inflated(rest.subarray(1), most).toString('latin1') };
  // Compressed or not, by which way; then language and translated name, each to its zero.
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0) return undefined;
  const value = rest.subarray(translated + 1);
  return { name, value: (rest[0] === 1 ? inflated(value, most) : value).toString('utf8') };
}

function inflated(bytes: Buffer, most: number): Buffer {
  return inflateSync(bytes, { maxOutputLength: most });
}

/** Texts of the first directory, which ComfyUI begins with their names: `prompt:{…}`. */
function webpTexts(bytes: Buffer): Texts {
  const texts: Texts = new Map();
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.toString('latin1', at, at + 4) === 'EXIF') {
      const chunk = bytes.subarray(at + 8, at + 8 + length);
      const head = chunk.toString('latin1', 0, 4) === 'Exif' ? 6 : 0;
      for (const value of exifTexts(chunk.subarray(head))) {
        const [, name, text] = /^(prompt|workflow):([^]*)$/i.exec(value) ?? [];
        if (name !== undefined && text !== undefined) texts.set(name.toLowerCase(), text);
      }
    }
    at += 8 + length + (length % 2);
  }
  return texts;
}

const ASCII = 2;

function exifTexts(tiff: Buffer): string[] {
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const short = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const long = (at: number) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  const directory = long(4);
  return Array.from({ length: short(directory) }, (_, index) => directory + 2 + index * 12).flatMap(
    (entry) => {
      if (short(entry + 2) !== ASCII) return [];
      const count = long(entry + 4);
      const from = count <= 4 ? entry + 8 : long(entry + 8);
      if (from + count > tiff.length) throw new RangeError('the text ends after the file');
      return [tiff.toString('utf8', from, from + count).replace(/\0+$/, '')];
    },
  );
}
