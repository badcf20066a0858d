// One object of the bucket as one file: ranges in parallel, written and hashed in order into a `.part` file, which is
// taken up again where it ends, and renamed when its SHA-256 is right. A file of that name is always whole.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Content, ModelBucket } from './bucket.ts';
import { isRefusal, ModelsProblem } from './problem.ts';

export interface DownloadDeps {
  bucket: ModelBucket;
  pause(attempt: number): Promise<void>;
  say(line: string): void;
  /** Of one request. */
  rangeBytes?: number;
  /** Requests under way for one file. */
  parallel?: number;
  /** Other files failed: no use to go on. */
  signal?: AbortSignal;
}

const MB = 1024 * 1024;
const TRIES = 5;

/** What this file was, when it was renamed into place. */
const noteOf = (path: string) => join(dirname(path), `.${basename(path)}.sha256`);
export const partOf = (path: string, sha256: string) =>
  join(dirname(path), `.${basename(path)}.${sha256.slice(0, 16)}.part`);

export async function isThere(path: string, content: Content): Promise<boolean> {
  const [file, note] = await Promise.all([
    stat(path).catch(() => undefined),
    readFile(noteOf(path), 'utf8').catch(() => ''),
  ]);
  return file?.size === content.sizeBytes && note.trim() === content.sha256;
}

/** @returns the bytes that were fetched; 0: it was there. @throws ModelsProblem */
export async function download(
  deps: DownloadDeps,
  key: string,
  path: string,
  content: Content,
): Promise<number> {
  if (await isThere(path, content)) return 0;
  await mkdir(dirname(path), { recursive: true });
  const part = partOf(path, content.sha256);
  for (const last of [false, true]) {
    const { fetched, sha256 } = await fetchInto(deps, key, part, content);
    if (sha256 === content.sha256) {
      await writeFile(noteOf(path), `${sha256}\n`);
      await rename(part, path);
      return fetched;
    }
    await rm(part, { force: true });
    // What was taken up again may have been damaged here; a second whole one was not.
    if (!last) deps.say(`${basename(path)}: another SHA-256 than the manifest's; fetching it again`);
  }
  throw new ModelsProblem(
    `s3://${deps.bucket.name}/${key} is not what the manifest says (another SHA-256): delete that object, then run npm run models -- seed --bucket ${deps.bucket.name}`,
  );
}

async function fetchInto(
  deps: DownloadDeps,
  key: string,
  part: string,
  { sizeBytes }: Content,
): Promise<{ fetched: number; sha256: string }> {
  const { rangeBytes = 8 * MB, parallel = 8 } = deps;
  const hash = createHash('sha256');
  let start = (await stat(part).catch(() => undefined))?.size ?? 0;
  if (start > sizeBytes) {
    await rm(part);
    start = 0;
  }
  if (start > 0) {
    deps.say(`${basename(key)}: going on at byte ${start}`);
    for await (const piece of createReadStream(part, { highWaterMark: MB })) hash.update(piece as Buffer);
  }
  const stopped = new AbortController();
  const signal = deps.signal ? AbortSignal.any([deps.signal, stopped.signal]) : stopped.signal;
  const file = await open(part, 'a');
  const underway: { bytes: Promise<Uint8Array>; room: Buffer }[] = [];
  let asked = start;
  const askNext = (room: Buffer) => {
    if (asked >= sizeBytes) return;
    const to = Math.min(asked + rangeBytes, sizeBytes) - 1;
    const bytes = rangeOf(deps, key, [asked, to], sizeBytes, signal, room);
    // Of those that are still waited for when an earlier one fails nobody hears.
    bytes.catch(() => undefined);
    underway.push({ bytes, room });
    asked = to + 1;
  };
  try {
    while (underway.length < parallel && asked < sizeBytes) askNext(Buffer.allocUnsafe(rangeBytes));
    for (let next = underway.shift(); next; next = underway.shift()) {
      const bytes = await next.bytes;
      hash.update(bytes);
      await file.appendFile(bytes);
      askNext(next.room);
    }
  } finally {
    stopped.abort();
    await file.close();
  }
  return { fetched: sizeBytes - start, sha256: hash.digest('hex') };
}

async function rangeOf(
  { bucket, pause }: DownloadDeps,
  key: string,
  [from, to]: [number, number],
  sizeBytes: number,
  signal: AbortSignal,
  room: Buffer,
): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await bucket.range(key, from, to, signal, room);
    } catch (error) {
      signal.throwIfAborted();
      if (!isRefusal(error) && attempt < TRIES - 1) {
        await pause(attempt);
        continue;
      }
      const found = await bucket.head(key);
      if (found && found.sizeBytes === sizeBytes) throw error;
      throw new ModelsProblem(
        found
          ? `s3://${bucket.name}/${key} has ${found.sizeBytes} bytes, not ${sizeBytes}: run npm run models -- seed --bucket ${bucket.name}`
          : `s3://${bucket.name}/${key} is gone, though the manifest names it: run npm run models -- seed --bucket ${bucket.name}`,
      );
    }
  }
}
