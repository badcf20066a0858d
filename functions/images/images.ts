// Where images are kept, by key: what callers see of it. Engines: s3 (a bucket) and folder (a folder of this machine).
// A body that breaks or has not the promised length stores nothing.

import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

export type ImageBody = Uint8Array | Readable | ReadableStream<Uint8Array>;

export interface ImageMeta {
  contentType: string;
  /** S3 requires the length: without it, it takes 64 MiB of a stream at most. */
  sizeBytes?: number | undefined;
}

export interface StoredImage {
  /** A stream is read to its end or cancelled: it occupies a connection or an open file. Of a small file the bytes. */
  body: ReadableStream<Uint8Array> | Uint8Array;
  contentType: string;
  /** Of this answer: for a range, less than the whole. */
  contentLength: number;
  etag: string;
  lastModified: Date;
  contentRange?: string;
  partial: boolean;
}

export async function letGo({ body }: Pick<StoredImage, 'body'>): Promise<void> {
  if (!(body instanceof Uint8Array)) await body.cancel();
}

export interface ImageHead {
  contentType: string;
  sizeBytes: number;
  etag: string;
  lastModified: Date;
}

export interface ListedImage {
  key: string;
  sizeBytes: number;
  lastModified: Date;
}

/** The body has not the promised length. */
export class IncompleteBody extends Error {
  override readonly name = 'IncompleteBody';
  constructor(sizeBytes: number, promised: number) {
    super(`The body has ${sizeBytes} bytes, not ${promised}.`);
  }
}

/** A body of unknown length is longer than the engine takes. */
export class BodyTooLong extends Error {
  override readonly name = 'BodyTooLong';
}

/** HTTP 416. `sizeBytes`: of the whole image. */
export class RangeNotSatisfiable extends Error {
  override readonly name = 'RangeNotSatisfiable';
  constructor(readonly sizeBytes: number) {
    super(`The image has ${sizeBytes} bytes; the range asked for lies behind them.`);
  }
}

export interface Images {
  /** Overwrites, whole or not at all. A put of a stream that failed is repeated by the caller, with a new stream. */
  put(key: string, body: ImageBody, meta: ImageMeta): Promise<{ sizeBytes: number; etag: string }>;
  /** `existed`: nothing was written, and the stream may not have been read to its end. */
  putOnce(key: string, body: ImageBody, meta: ImageMeta): Promise<'written' | 'existed'>;
  /** Undefined: no such key. @throws RangeNotSatisfiable. A malformed range is ignored, as HTTP requires. */
  get(
    key: string,
    options?: { range?: string | undefined; ifNoneMatch?: string | undefined },
  ): Promise<StoredImage | 'not-modified' | undefined>;
  head(key: string): Promise<ImageHead | undefined>;
  /** Makes it as young as if it were put now. False: no such key. */
  renew(key: string): Promise<boolean>;
  delete(keys: string[]): Promise<void>;
  list(prefix: string): AsyncIterable<ListedImage>;
  /** In the order of keys. @param limit at most 1,000; @param after a key */
  page(prefix: string, limit: number, after?: string): Promise<{ items: ListedImage[]; more: boolean }>;
  /** For people: `s3://bucket/images`, or the path of the folder. */
  readonly outputDirectory: string;
}
