// One part of a file: fetched by its range, written to its place in the file and hashed on its way, so that no part is
// ever in memory whole. What it returns from is right on the disk; a part that is not what its list says is fetched twice.

import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Part } from './parts.ts';
import { ModelsProblem } from './problem.ts';
import { RangeRefused, readRange } from './range.ts';

export interface PartErrand extends Part {
  bucket: string;
  key: string;
  /** Of the whole object. */
  sizeBytes: number;
  /** A file of that size. */
  path: string;
  /** An earlier run may have left it there. */
  mayBeThere: boolean;
}

export interface PartOptions {
  /** Of the object, signed. */
  url: string;
  pause(attempt: number): Promise<void>;
  signal?: AbortSignal;
}

const TRIES = 5;
const ROOM = 128 * 1024;

/** @returns the bytes that were fetched; 0: it was there. @throws ModelsProblem */
export async function fetchPart(errand: PartErrand, options: PartOptions): Promise<number> {
  const { bucket, key, path, from, to, sha256 } = errand;
  const fd = openSync(path, 'r+');
  try {
    if (errand.mayBeThere && hashOf(fd, from, to) === sha256) return 0;
    // What comes damaged once may have been damaged on its way.
    for (let again = 0; again < 2; again += 1)
      if ((await fetchInto(fd, errand, options)) === sha256) return to - from + 1;
  } finally {
    closeSync(fd);
  }
  throw new ModelsProblem(
    `s3://${bucket}/${key} is not what its list of parts says (bytes ${from} to ${to}): delete that object, then run npm run models -- seed --bucket ${bucket}`,
  );
}

/** @returns the SHA-256 of what came */
async function fetchInto(
  fd: number,
  errand: PartErrand,
  { url, pause, signal }: PartOptions,
): Promise<string> {
  for (let attempt = 0; ; attempt += 1) {
    const into = createWriter(fd, errand.from);
    try {
      const whole = await readRange(url, [errand.from, errand.to], into.take, signal);
      if (whole !== errand.sizeBytes) throw anotherSize(errand, whole);
      return into.end();
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ModelsProblem) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
        throw new ModelsProblem('The disk is full; use one with more room');
      if (error instanceof RangeRefused && !isOfTheMoment(error.status)) throw refusal(errand, error);
      if (attempt >= TRIES - 1)
        throw new ModelsProblem(
          `s3://${errand.bucket} does not answer: ${(error as Error).message || (error as NodeJS.ErrnoException).code}`,
        );
    }
    await pause(attempt);
  }
}

const isOfTheMoment = (status: number) => status >= 500 || status === 408 || status === 429;

function anotherSize({ bucket, key, sizeBytes }: PartErrand, whole: number): ModelsProblem {
  return new ModelsProblem(
    `s3://${bucket}/${key} has ${whole} bytes, not ${sizeBytes}: run npm run models -- seed --bucket ${bucket}`,
  );
}

function refusal(errand: PartErrand, { status, code, whole }: RangeRefused): ModelsProblem {
  const { bucket, key } = errand;
  if (whole !== undefined) return anotherSize(errand, whole);
  if (status === 404)
    return new ModelsProblem(
      `s3://${bucket}/${key} is gone, though the manifest names it: run npm run models -- seed --bucket ${bucket}`,
    );
  return new ModelsProblem(
    `S3 refuses s3://${bucket}/${key} (${status} ${code}); these credentials need to read it`,
  );
}

/** Gathers pieces, which are of 16 kB under TLS, to a room each, which is hashed and written at once. */
function createWriter(fd: number, from: number) {
  const hash = createHash('sha256');
  const room = Buffer.allocUnsafeSlow(ROOM);
  let held = 0;
  let at = from;
  function put(bytes: Buffer): void {
    hash.update(bytes);
    // On this thread: those of the pool are four for all threads.
    for (let done = 0; done < bytes.length;)
      done += writeSync(fd, bytes, done, bytes.length - done, at + done);
    at += bytes.length;
  }
  function empty(): void {
    put(room.subarray(0, held));
    held = 0;
  }
  return {
    take(piece: Buffer): void {
      if (held === 0 && piece.length >= ROOM / 4) return put(piece);
      for (let taken = 0; taken < piece.length;) {
        const copied = piece.copy(room, held, taken);
        taken += copied;
        held += copied;
        if (held === room.length) empty();
      }
      return undefined;
    },
    /** @returns the SHA-256 of all */
    end(): string {
      empty();
      return hash.digest('hex');
    },
  };
}

function hashOf(fd: number, from: number, to: number): string {
  const hash = createHash('sha256');
  const room = Buffer.allocUnsafe(ROOM);
  for (let at = from; at <= to;) {
    const length = readSync(fd, room, 0, Math.min(room.length, to + 1 - at), at);
    if (length === 0) break;
    hash.update(room.subarray(0, length));
    at += length;
  }
  return hash.digest('hex');
}
