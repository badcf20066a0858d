// What may be put into the bucket, brought to what the SDK takes: bytes, or a Node stream with a known length.
// It collects a stream only where the length is missing, and refuses one that is too long for that, or that breaks.

import { finished, PassThrough, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

export type ImageBody = Uint8Array | Readable | ReadableStream<Uint8Array>;

/** As S3 itself calls it. */
export class IncompleteBody extends Error {
  override readonly name = 'IncompleteBody';
  constructor(sizeBytes: number, promised: number) {
    super(`The body has ${sizeBytes} bytes, not ${promised}.`);
  }
}

/** No length was promised, and it is longer than what may be collected. */
export class BodyTooLong extends Error {
  override readonly name = 'BodyTooLong';
}

/** Less than this is collected: bytes are put in half the time of a stream, and the SDK can repeat them. */
const SMALL = 512 * 1024;
const MAX_COLLECTED = 64 * 1024 * 1024;

export async function bodyFrom(
  given: ImageBody,
  promised: number | undefined,
): Promise<{ body: Uint8Array | Readable; sizeBytes: number }> {
  if (given instanceof Uint8Array) {
    if (promised !== undefined && promised !== given.length) {
      throw new IncompleteBody(given.length, promised);
    }
    return { body: given, sizeBytes: given.length };
  }
  const stream = given instanceof Readable ? given : Readable.fromWeb(given);
  if (promised !== undefined && promised > SMALL) return { body: stream, sizeBytes: promised };
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    sizeBytes += piece.length;
    if (sizeBytes > MAX_COLLECTED)
      throw new BodyTooLong(`A body of unknown length may have ${MAX_COLLECTED} bytes at most.`);
    pieces.push(piece);
  }
  if (promised !== undefined && promised !== sizeBytes) throw new IncompleteBody(sizeBytes, promised);
  return { body: Buffer.concat(pieces), sizeBytes };
}

/**
 * The SDK waits for ever for the rest of a stream that broke, and its error ends the process (it emits it where
 * nobody listens). So the SDK gets a pipe that never fails: we take the request back, and say what broke.
 */
export async function unlessBroken<T>(
  source: Readable,
  send: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const broken = new AbortController();
  const pipe = new PassThrough();
  const stop = finished(source, { writable: false }, (error) => {
    if (error) broken.abort(error);
  });
  source.pipe(pipe);
  try {
    return await send(pipe, broken.signal);
  } catch (error) {
    const reason: unknown = broken.signal.aborted ? broken.signal.reason : error;
    // A refusal can come before the body is sent: neither the connection nor the source waits for the rest.
    broken.abort();
    throw reason;
  } finally {
    stop();
    source.on('error', () => {}).destroy();
    pipe.destroy();
  }
}
