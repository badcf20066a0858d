// One object of the bucket as one file: its parts in any order into a file of the whole size, which gets its name when
// each of them is right. A file of that name is always whole. What an earlier run left is known by its hashes alone.

import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelBucket } from './bucket.ts';
import type { Crew } from './crew.ts';
import type { PartErrand } from './part.ts';
import { type Content, readParts } from './parts.ts';

export interface DownloadDeps {
  bucket: ModelBucket;
  crew: Crew<PartErrand, number>;
  say(line: string): void;
}

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

/**
 * Returns when the crew has all its errands: files that are asked for one after the other come in that order.
 * @returns a promise of the bytes that were fetched; 0: it was there. @throws ModelsProblem
 */
export async function download(
  { bucket, crew, say }: DownloadDeps,
  key: string,
  path: string,
  content: Content,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ fetched: Promise<number> }> {
  if (await isThere(path, content)) return { fetched: Promise.resolve(0) };
  const parts = await readParts(bucket, key, content);
  const part = partOf(path, content.sha256);
  const mayBeThere = await makeRoom(part, content.sizeBytes);
  if (mayBeThere) say(`${basename(path)}: looking at what an earlier run left of it`);
  const errands = parts.map((one) =>
    crew.run(
      { ...one, bucket: bucket.name, key, sizeBytes: content.sizeBytes, path: part, mayBeThere },
      signal,
    ),
  );
  async function finish(): Promise<number> {
    const fetched = (await Promise.all(errands)).reduce((sum, bytes) => sum + bytes, 0);
    if (mayBeThere) say(`${basename(path)}: ${content.sizeBytes - fetched} bytes were there`);
    await writeFile(noteOf(path), `${content.sha256}\n`);
    await rename(part, path);
    return fetched;
  }
  const fetched = finish();
  // Whoever waits for several hears of the first that fails.
  fetched.catch(() => undefined);
  return { fetched };
}

/** @returns whether there was such a file */
async function makeRoom(path: string, sizeBytes: number): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a');
  try {
    const was = (await file.stat()).size;
    if (was !== sizeBytes) await file.truncate(sizeBytes);
    return was > 0;
  } finally {
    await file.close();
  }
}
