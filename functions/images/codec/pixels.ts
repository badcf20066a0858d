// Decoders and encoders from their packages, each loaded when it is first needed: PNG by Rust's `png`, WebP by libwebp, JPEG by
// libjpeg-turbo, all as WebAssembly, which lies beside the bundle.

import { readFileSync } from 'node:fs';
import createTurbo, { type Turbo } from '@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs';
import turboWasm from '@cornerstonejs/codec-libjpeg-turbo-8bit/wasm';
import { decode as decodePng, initSync as initPng } from '@jsquash/png/codec/pkg/squoosh_png.js';
// @ts-expect-error -- a path, by build.mjs; the package declares what is in it
import pngWasm from '@jsquash/png/codec/pkg/squoosh_png_bg.wasm';
import createWebpDecoder from '@jsquash/webp/codec/dec/webp_dec.js';
import webpDecoderWasm from '@jsquash/webp/codec/dec/webp_dec.wasm';
import createWebpEncoder from '@jsquash/webp/codec/enc/webp_enc_simd.js';
import webpEncoderWasm from '@jsquash/webp/codec/enc/webp_enc_simd.wasm';
import { defaultOptions } from '@jsquash/webp/meta.js';
import { imageType } from '../sniff.ts';
import { stillOfWebp } from '../structure/webp.ts';
import type { Order } from './order.ts';
import type { Pixels } from './shrink.ts';

type Decode = (bytes: Uint8Array) => Pixels;
type Encode = (pixels: Pixels, order: Order) => Uint8Array;

/** @throws Error for an image that is damaged */
export async function decoderOf(bytes: Uint8Array): Promise<Decode> {
  const extension = imageType(bytes)?.extension;
  if (extension === 'png') return pngDecoder();
  if (extension === 'webp') return webpDecoder();
  return jpegDecoder();
}

export function encoderOf(format: Order['format']): Promise<Encode> {
  return format === 'webp' ? webpEncoder() : jpegEncoder();
}

const pngDecoder = once(async (): Promise<Decode> => {
  initPng(wasm(pngWasm));
  return (bytes) => decodePng(bytes);
});

const webpDecoder = once(async (): Promise<Decode> => {
  const { decode } = await createWebpDecoder({ wasmBinary: wasm(webpDecoderWasm) });
  return (bytes) => {
    const pixels: Pixels | null = decode(stillOfWebp(bytes));
    if (!pixels) throw new Error('it is damaged');
    return pixels;
  };
});

const webpEncoder = once(async (): Promise<Encode> => {
  const { encode } = await createWebpEncoder({ wasmBinary: wasm(webpEncoderWasm) });
  return ({ data, width, height }, { quality, side }) => {
    // A small one is made at a third of the time, and is hardly larger.
    const method = side === undefined ? defaultOptions.method : 2;
    const bytes: Uint8Array | null = encode(data, width, height, { ...defaultOptions, quality, method });
    if (!bytes) throw new Error('it cannot be encoded');
    return Uint8Array.from(bytes);
  };
});

const turbo = once(async (): Promise<Turbo> => {
  // It asks where it lies, as CommonJS does.
  Object.assign(globalThis, { __dirname: import.meta.dirname });
  return createTurbo({ wasmBinary: wasm(turboWasm) });
});

async function jpegDecoder(): Promise<Decode> {
  const { JPEGDecoder } = await turbo();
  return (bytes) => {
    const decoder = new JPEGDecoder();
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const { width, height, componentCount } = decoder.getFrameInfo();
    const pixels = { data: rgbaOf(decoder.getDecodedBuffer(), componentCount), width, height };
    decoder.delete();
    return pixels;
  };
}

async function jpegEncoder(): Promise<Encode> {
  const { JPEGEncoder } = await turbo();
  return ({ data, width, height }, { quality }) => {
    const encoder = new JPEGEncoder();
    setRgb(encoder.getDecodedBuffer(spaciousFrame(width, height)), data);
    // libjpeg's least is 1.
    encoder.setQuality(Math.max(1, quality));
    encoder.setSubSampling(quality >= FULL_COLOUR ? 0 : 2);
    encoder.setProgressive(false);
    encoder.encode();
    const bytes = Uint8Array.from(encoder.getEncodedBuffer());
    encoder.delete();
    return bytes;
  };
}

/**
 * The package takes all but one component for RGB of 8 bits, and writes into as many bytes as the frame says that the pixels have:
 * with 3 it writes beyond them where an image is tiny or nothing but noise. So the frame says as much as tjBufSize, libjpeg-turbo's
 * own bound, in numbers below 256.
 */
function spaciousFrame(width: number, height: number) {
  const whole = (length: number) => Math.ceil(length / 16) * 16;
  const each = (whole(width) * whole(height) * 6 + 2048) / (width * height);
  const bytes = Math.ceil(each / 255);
  return {
    width,
    height,
    bitsPerSample: 8 * bytes,
    componentCount: Math.ceil(each / bytes),
    isSigned: false,
  };
}

/** From this quality on, colours are kept at each pixel (4:4:4) rather than at one of four. */
const FULL_COLOUR = 90;

/** Of grey, or of RGB. */
function rgbaOf(samples: Uint8Array, components: number): Uint8ClampedArray {
  if (components !== 1 && components !== 3) throw new Error(`it has ${components} colours`);
  const rgba = new Uint8ClampedArray((samples.length / components) * 4);
  for (let from = 0, to = 0; from < samples.length; from += components, to += 4) {
    rgba[to] = samples[from]!;
    rgba[to + 1] = samples[from + (components === 3 ? 1 : 0)]!;
    rgba[to + 2] = samples[from + components - 1]!;
    rgba[to + 3] = 255;
  }
  return rgba;
}

/** JPEG has no transparency: on white. */
function setRgb(rgb: Uint8Array, rgba: Uint8ClampedArray): void {
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3]!;
    const white = 255 - alpha;
    rgb[to] = (rgba[from]! * alpha) / 255 + white;
    rgb[to + 1] = (rgba[from + 1]! * alpha) / 255 + white;
    rgb[to + 2] = (rgba[from + 2]! * alpha) / 255 + white;
  }
}

function wasm(path: string): Buffer {
  return readFileSync(new URL(path, import.meta.url));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
