// What is to be made of an image, and what cannot: types and bounds that the API's thread and the codec's share.

/** `quality`: 0 to 100. `side`: pixels; a larger image is shrunk to it, none is enlarged. */
export interface Order {
  format: 'jpeg' | 'webp';
  quality: number;
  side?: number;
}

export interface Converted {
  bytes: Uint8Array;
  width: number;
  height: number;
}

/** The message completes "the image …". */
export class Unconvertible extends Error {
  override readonly name = 'Unconvertible';
}

/** As many images wait for a thread as may. */
export class CodecBusy extends Error {
  override readonly name = 'CodecBusy';
}

/** Makes one image of another. Formats that it reads: PNG, JPEG, WebP; of an animation it takes the first frame. */
export interface Codec {
  /** @param source is called when a thread is free: what waits is not in memory @throws Unconvertible, CodecBusy */
  convert(order: Order, source: () => Promise<Uint8Array>): Promise<Converted>;
  /** Ends its threads; what they are at fails. */
  close(): Promise<void>;
}

/** Of a file. */
export const MAX_SOURCE_BYTES = 64 * 1024 * 1024;
/** 8K. To shrink one of that size takes 0.6 GB. */
export const MAX_SHRUNK_PIXELS = 36_000_000;
/** 4096 × 4096. To encode it whole takes as much. */
export const MAX_CONVERTED_PIXELS = 17_000_000;
