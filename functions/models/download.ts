// Downloads one object of the bucket: its parts, in any order, into a file of the full size, which is renamed when all are
// right. So a file of the final name is always whole. Parts of an earlier run are recognised by their hashes.

import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelBucket } from './bucket.ts';
import type { Pool } from './pool.ts';
import type { PartTask } from './part.ts';
import { type Content, readParts } from './parts-list.ts';

export interface DownloadDeps {
  bucket: ModelBucket;
  pool: Pool<PartTask, number>;
  say(line: string): void;
}

/** The file beside it with its SHA-256, written when it was renamed into place. */
const noteOf = (path: string) => join(dirname(path), `.${basename(path)}.sha256`);
/** The path of the unfinished file. */
export const partOf = (path: string, sha256: string) =>
  join(dirname(path), `.${basename(path)}.${sha256.slice(0, 16)}.part`);

/** Is the whole file there, by its size and the recorded hash? */
export async function isThere(path: string, content: Content): Promise<boolean> {
  const [file, note] = await Promise.all([
    stat(path).catch(() => undefined),
    readFile(noteOf(path), 'utf8').catch(() => ''),
  ]);
  return file?.size === content.sizeBytes && note.trim() === content.sha256;
}

/**
 * Resolves when the pool has all its tasks, so that files requested one after the other arrive in that order.
 * @returns `fetched`: resolves with the bytes fetched when the file is complete; 0: it was there. @throws ModelsProblem
 */
export async function download(
  { bucket, pool, say }: DownloadDeps,
  key: string,
  path: string,
  content: Content,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ fetched: Promise<number> }> {
  if (await isThere(path, content)) return { fetched: Promise.resolve(0) };
  const parts = await readParts(bucket, key, content);
  const part = partOf(path, content.sha256);
  const mayBeThere = await makeRoom(part, content.sizeBytes);
  if (mayBeThere) say(`${basename(path)}: checking what an earlier run left of it`);
  const tasks = parts.map((one) =>
    pool.run(
      { ...one, bucket: bucket.name, key, sizeBytes: content.sizeBytes, path: part, mayBeThere },
      signal,
    ),
  );
  async function finish(): Promise<number> {
    const fetched = (await Promise.all(tasks)).reduce((sum, bytes) => sum + bytes, 0);
    if (mayBeThere) say(`${basename(path)}: ${content.sizeBytes - fetched} bytes were there`);
    await writeFile(noteOf(path), `${content.sha256}\n`);
    await rename(part, path);
    return fetched;
  }
  const fetched = finish();
  // A caller that waits for several files learns of the first failure only.
  fetched.catch(() => undefined);
  return { fetched };
}

/** Allocates the file. @returns whether it existed */
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
