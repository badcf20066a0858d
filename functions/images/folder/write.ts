// Puts a file in its place whole or not at all: under another name first, synced, then renamed.

import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { StorageFull } from '../../core/disk-full.ts';
import { type ImageBody, type ImageMeta, IncompleteBody } from '../images.ts';
import { describe, type Description } from './description.ts';
import { isMissing } from './errors.ts';
import type { Syncing } from './sync.ts';

/** Bytes of one write. */
const WRITE_BYTES = 256 * 1024;

export interface Writing {
  /** Where files are until they are whole: in the same file system. */
  incoming: string;
  syncing: Syncing;
  /** Whether so many more bytes fit on the disk. */
  hasRoom(bytes: number): boolean;
  now(): number;
}

export interface Target {
  key: string;
  path: string;
  /** Asked in the tick of the renaming. True: nothing is stored. */
  isTaken?: () => boolean;
}

/** @returns undefined where it is taken. @throws IncompleteBody, StorageFull, or as the body does */
export async function store(
  writing: Writing,
  { key, path, isTaken }: Target,
  body: ImageBody,
  { contentType, sizeBytes: promised }: ImageMeta,
): Promise<Description | undefined> {
  const temporary = join(writing.incoming, randomBytes(12).toString('hex'));
  let isStored = false;
  try {
    const description = await write(writing, temporary, body, promised, (content) => ({
      key,
      ...content,
      lastModified: writing.now(),
      headers: { 'content-type': contentType },
    }));
    if (isTaken?.() === true) return undefined;
    moveTo(path, temporary, writing.syncing);
    isStored = true;
    await writing.syncing.settle(dirname(path));
    return description;
  } finally {
    if (!isStored) await rm(temporary, { force: true });
  }
}

async function write(
  { incoming, hasRoom }: Writing,
  path: string,
  body: ImageBody,
  promised: number | undefined,
  finish: (content: Pick<Description, 'sizeBytes' | 'etag' | 'crc32'>) => Description,
): Promise<Description> {
  let file: FileHandle | undefined;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let sizeBytes = 0;
  let crc = 0;
  const sha256 = createHash('sha256');

  async function flush(): Promise<void> {
    // Of a promised length it was asked before.
    if (promised === undefined && !hasRoom(waitingBytes)) throw new StorageFull();
    file ??= await create(incoming, path);
    const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    for (let done = 0; done < all.length;) done += (await file.write(all, done)).bytesWritten;
  }
  try {
    for await (const piece of piecesOf(body)) {
      sizeBytes += piece.length;
      if (promised !== undefined && sizeBytes > promised) throw new IncompleteBody(sizeBytes, promised);
      sha256.update(piece);
      crc = crc32(piece, crc);
      waiting.push(piece);
      waitingBytes += piece.length;
      if (waitingBytes >= WRITE_BYTES) await flush();
    }
    if (promised !== undefined && sizeBytes !== promised) throw new IncompleteBody(sizeBytes, promised);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc);
    const description = finish({
      sizeBytes,
      etag: `"${sha256.digest('hex').slice(0, 32)}"`,
      crc32: sum.toString('base64'),
    });
    waiting.push(describe(description));
    await flush();
    await file!.datasync();
    return description;
  } finally {
    await file?.close();
  }
}

function piecesOf(body: ImageBody): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  return body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>);
}

/** Lets go of a source of which nothing is wanted. */
export async function discard(body: ImageBody): Promise<void> {
  if (body instanceof Readable) body.on('error', () => undefined).destroy();
  else if (!(body instanceof Uint8Array)) await body.cancel().catch(() => undefined);
}

/** Makes the folder for it first if that is missing. */
async function create(folder: string, path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(folder, { recursive: true });
    return open(path, 'wx');
  }
}

/** Makes the folder for it first if that is missing: with its last file a folder goes, also at this very moment. */
function moveTo(path: string, temporary: string, syncing: Syncing): void {
  const folder = dirname(path);
  try {
    renameSync(temporary, path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const made = mkdirSync(folder, { recursive: true }) ?? folder;
    for (let one = folder; one.length >= made.length; one = dirname(one)) syncing.forget(one);
    renameSync(temporary, path);
  }
}
