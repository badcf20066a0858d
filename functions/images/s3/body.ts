// Converts an upload's body to what the SDK accepts: bytes, or a Node stream of known length. It buffers a stream only where
// it is small or its length is unknown, and refuses one that is too long for that, or that breaks.

import { finished, PassThrough, Readable } from 'node:stream';
import { BodyTooLong, IncompleteBody, type ImageBody } from '../images.ts';

/** Smaller streams are buffered: a put of bytes takes half the time of a stream's, and the SDK can repeat it. */
const SMALL = 512 * 1024;
const MAX_COLLECTED = 64 * 1024 * 1024;

/** @param promised the length in bytes. @throws IncompleteBody, BodyTooLong, or as the stream does */
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
 * The SDK waits for ever for the rest of a broken stream, and the stream's unhandled error event ends the process. So the SDK
 * gets a pipe that never fails, and the request is aborted here. @throws the source's error, or what `send` rejects with
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
    // S3 can refuse before the body is sent: connection and source must not wait for the rest.
    broken.abort();
    throw reason;
  } finally {
    stop();
    source.on('error', () => {}).destroy();
    pipe.destroy();
  }
}
