// Puts a file in its place whole or not at all: under another name first, synced, then renamed.

import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasync,
  mkdir,
  mkdirSync,
  open,
  renameSync,
  rmdirSync,
  rmSync,
  write as writeFd,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { StorageFull } from '../../core/disk-full.ts';
import { type ImageBody, type ImageMeta, IncompleteBody } from '../images.ts';
import { describe, type Description } from './description.ts';
import { isMissing } from './errors.ts';
import type { Syncing } from './sync.ts';

/** What may wait for the disk, a new name among it: handles of promises cost more than all else here. */
const [openFile, makeFolder, writeTo, datasync] = [
  promisify<string, string, number>(open),
  promisify<string, { recursive: true }, string | undefined>(mkdir),
  promisify(writeFd),
  promisify(fdatasync),
];

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
  const folder = dirname(path);
  // While the bytes come: a job's first file is the first of its folder.
  const made = makeFolder(folder, { recursive: true }).catch((error: unknown) => {
    // A folder above has gone with its last file: it is made anew at the renaming.
    if (!isMissing(error)) throw error;
    return undefined;
  });
  made.catch(() => undefined);
  let isStored = false;
  try {
    const description = await write(writing, temporary, body, promised, (content) => ({
      key,
      ...content,
      lastModified: writing.now(),
      headers: { 'content-type': contentType },
    }));
    forgetMade(writing.syncing, folder, await made);
    if (isTaken?.() === true) return undefined;
    moveTo(path, temporary, writing.syncing);
    isStored = true;
    await writing.syncing.settle(folder);
    return description;
  } finally {
    if (!isStored) {
      rmSync(temporary, { force: true });
      await made.catch(() => undefined);
      removeEmpty(writing.syncing, folder);
    }
  }
}

async function write(
  { incoming, hasRoom }: Writing,
  path: string,
  body: ImageBody,
  promised: number | undefined,
  finish: (content: Pick<Description, 'sizeBytes' | 'etag' | 'crc32'>) => Description,
): Promise<Description> {
  // While the first bytes come: where the disk writes its journal a new name waits for it.
  const opening = create(incoming, path);
  opening.catch(() => undefined);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let sizeBytes = 0;
  let crc = 0;
  const sha256 = createHash('sha256');

  async function flush(): Promise<void> {
    // Of a promised length it was asked before.
    if (promised === undefined && !hasRoom(waitingBytes)) throw new StorageFull();
    const file = await opening;
    const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    for (let done = 0; done < all.length;)
      done += (await writeTo(file, all, done, all.length - done, null)).bytesWritten;
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
    await datasync(await opening);
    return description;
  } finally {
    await opening.then(closeSync, () => undefined);
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
async function create(folder: string, path: string): Promise<number> {
  try {
    return await openFile(path, 'wx');
  } catch (error) {
    if (!isMissing(error)) throw error;
    await makeFolder(folder, { recursive: true });
    return openFile(path, 'wx');
  }
}

/** Nothing came of the file that it was made for; other files keep it. */
function removeEmpty(syncing: Syncing, folder: string): void {
  try {
    rmdirSync(folder);
    syncing.forget(folder);
  } catch {
    // It has files, or has gone.
  }
}

/** @param first the uppermost folder that was made; undefined: none */
function forgetMade(syncing: Syncing, folder: string, first: string | undefined): void {
  if (first === undefined) return;
  for (let one = folder; one.length >= first.length; one = dirname(one)) syncing.forget(one);
}

/** Makes the folder for it first if that is missing: with its last file a folder goes, also at this very moment. */
function moveTo(path: string, temporary: string, syncing: Syncing): void {
  const folder = dirname(path);
  try {
    renameSync(temporary, path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    forgetMade(syncing, folder, mkdirSync(folder, { recursive: true }) ?? folder);
    renameSync(temporary, path);
  }
}
