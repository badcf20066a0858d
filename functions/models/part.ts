// One part of a file: fetched by its range, hashed while it is written to its place, so that no part is in memory whole. It
// returns only when the part on the disk is right; one with a wrong hash is fetched once more.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Part } from './parts-list.ts';
import { ModelsProblem } from './problem.ts';
import { RangeRefused, readRange } from './range.ts';

export interface PartTask extends Part {
  bucket: string;
  key: string;
  /** Of the whole object. */
  sizeBytes: number;
  /** A file of that size, to be filled. */
  path: string;
  /** An earlier run may have written the part. */
  mayBeThere: boolean;
}

export interface PartOptions {
  /** A presigned link to the object. */
  url: string;
  pause(attempt: number): Promise<void>;
  signal?: AbortSignal;
}

const TRIES = 5;
const BUFFER = 128 * 1024;

/** @returns the bytes fetched; 0: the part was there. @throws ModelsProblem */
export async function fetchPart(task: PartTask, options: PartOptions): Promise<number> {
  const { bucket, key, path, from, to, sha256 } = task;
  const fd = openSync(path, 'r+');
  try {
    if (task.mayBeThere && hashOf(fd, from, to) === sha256) return 0;
    // A part may have been damaged in transit: it is fetched twice at most.
    for (let again = 0; again < 2; again += 1)
      if ((await fetchInto(fd, task, options)) === sha256) return to - from + 1;
  } finally {
    closeSync(fd);
  }
  throw new ModelsProblem(
    `s3://${bucket}/${key} is not what its list of parts says (bytes ${from} to ${to}): delete that object, then run npm run models -- seed --bucket ${bucket}`,
  );
}

/** @returns the SHA-256 of the received bytes */
async function fetchInto(fd: number, task: PartTask, { url, pause, signal }: PartOptions): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const into = createWriter(fd, task.from);
    try {
      const whole = await readRange(url, [task.from, task.to], into.take, signal);
      if (whole !== task.sizeBytes) throw anotherSize(task, whole);
      return into.end();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ModelsProblem) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
        throw new ModelsProblem('The disk is full; use a larger one');
      if (error instanceof RangeRefused && !isOfTheMoment(error.status)) throw refusal(task, error);
      if (attempt >= TRIES - 1)
        throw new ModelsProblem(
          `s3://${task.bucket} does not answer: ${(error as Error).message || (error as NodeJS.ErrnoException).code}`,
        );
    }
    await pause(attempt);
  }
}

const isOfTheMoment = (status: number) => status >= 500 || status === 408 || status === 429;

function anotherSize({ bucket, key, sizeBytes }: PartTask, whole: number): ModelsProblem {
  return new ModelsProblem(
    `s3://${bucket}/${key} has ${whole} bytes, not ${sizeBytes}: run npm run models -- seed --bucket ${bucket}`,
  );
}

function refusal(task: PartTask, { status, code, whole }: RangeRefused): ModelsProblem {
  const { bucket, key } = task;
  if (whole !== undefined) return anotherSize(task, whole);
  if (status === 404)
    return new ModelsProblem(
      `s3://${bucket}/${key} is gone, though the manifest names it: run npm run models -- seed --bucket ${bucket}`,
    );
  return new ModelsProblem(
    `S3 refuses s3://${bucket}/${key} (${status} ${code}); these credentials need to read it`,
  );
}

/** Collects pieces, of 16 kB under TLS, in a buffer that is hashed and written when it is full. */
function createWriter(fd: number, from: number) {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(BUFFER);
  let filled = 0;
  let at = from;
  function put(bytes: Buffer): void {
    hash.update(bytes);
    // Synchronous: the pool has four threads for the whole process.
    for (let done = 0; done < bytes.length;)
      done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    at += bytes.length;
  }
  function empty(): void {
    put(buffer.subarray(0, filled));
    filled = 0;
  }
  return {
    take(piece: Buffer): void {
      if (filled === 0 && piece.length >= BUFFER / 4) return put(piece);
      for (let taken = 0; taken < piece.length;) {
        const copied = piece.copy(buffer, filled, taken);
        taken += copied;
        filled += copied;
        if (filled === buffer.length) empty();
      }
      return undefined;
    },
    /** @returns the SHA-256 of all bytes */
    end(): string {
      empty();
      return hash.digest('hex');
    },
  };
}

function hashOf(fd: number, from: number, to: number): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(BUFFER);
  for (let at = from; at <= to;) {
    const length = readSync(fd, buffer, 0, Math.min(buffer.length, to + 1 - at), at);
    if (length === 0) break;
    hash.update(buffer.subarray(0, length));
    at += length;
  }
  return hash.digest('hex');
}
