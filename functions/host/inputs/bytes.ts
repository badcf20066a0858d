// The bytes of one input, from the bucket, whole: a broken connection is resumed, and what came is checked against the hash
// that names it.

import { createHash } from 'node:crypto';
import { contentHashOf, type InputKey } from '../../core/names.ts';
import { type Images, letGo, type StoredImage } from '../../images/images.ts';

/** It has left the bucket. */
export class InputGone extends Error {
  override readonly name = 'InputGone';
}

/** The bucket has other bytes than those that were uploaded. */
export class InputChanged extends Error {
  override readonly name = 'InputChanged';
}

export interface InputBytes {
  sizeBytes: number;
  /** Is read to its end, or returned. @throws InputChanged at the end, or as the bucket does */
  pieces: AsyncGenerator<Uint8Array, void>;
}

/** How often a broken connection is resumed. */
const RESUMES = 20;

/** @throws InputGone, or as the bucket does */
export async function openInput(images: Pick<Images, 'get'>, input: InputKey): Promise<InputBytes> {
  const first = await get(images, input.key);
  return { sizeBytes: first.contentLength, pieces: read(images, input, first) };
}

async function* read(
  images: Pick<Images, 'get'>,
  input: InputKey,
  first: StoredImage,
): AsyncGenerator<Uint8Array, void> {
  const wanted = contentHashOf(input);
  const hash = createHash('sha256');
  let stored = first;
  let at = 0;
  for (let resumes = 0; ; resumes += 1) {
    const before = at;
    try {
      for await (const piece of piecesOf(stored)) {
        at += piece.length;
        if (at > first.contentLength) throw changed(input);
        hash.update(piece);
        yield piece;
      }
      if (at === first.contentLength) break;
      throw new Error(`${input.key} broke off after ${at} of ${first.contentLength} bytes`);
    } catch (error) {
      if (error instanceof InputChanged || at === before || resumes >= RESUMES) throw error;
    }
    stored = await get(images, input.key, at);
    if (stored.etag === first.etag && stored.partial) continue;
    await letGo(stored);
    throw changed(input);
  }
  if (wanted !== undefined && hash.digest('hex') !== wanted) throw changed(input);
}

async function get(images: Pick<Images, 'get'>, key: string, from = 0): Promise<StoredImage> {
  const stored = await images.get(key, from > 0 ? { range: `bytes=${from}-` } : {});
  if (!stored || stored === 'not-modified') throw new InputGone(`${key} is gone`);
  return stored;
}

function piecesOf({ body }: StoredImage): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? [body] : body;
}

function changed({ key }: InputKey): InputChanged {
  return new InputChanged(`${key} has other bytes than those that were uploaded`);
}
