// ComfyUI's input folder on this machine, as far as it is ours: a file for each content, shared by all jobs that read it. It
// appears under its name whole and synced, or not at all. Files that no job holds go, the longest unused first, when
// there is no room for another. Several hosts of one process share one folder; a person's own files are never touched.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, type FileHandle, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { before } from '../../core/before.ts';
import { isDiskFull, StorageFull } from '../../core/disk-full.ts';
import { isStagedName } from '../../core/names.ts';
import type { Log } from '../../log.ts';
import type { InputBytes } from './bytes.ts';

export interface InputFolder {
  /** From before they are placed until the returned function is called: they are not removed. */
  hold(names: readonly string[]): () => void;
  /**
   * Resolves when the file is there. Jobs that want the same one at the same time share one download, which ends with the
   * last of them. @throws StorageFull, the signal's reason, or as `source` does
   */
  place(name: string, source: () => Promise<InputBytes>, signal: AbortSignal): Promise<void>;
}

export interface InputFolderOptions {
  /** ComfyUI's `input`. */
  folder: string;
  /** What files that no job holds may take together. */
  maxBytes: number;
  log: Log;
  /** Bytes that the disk has left. */
  free?: () => Promise<number>;
}

/** ComfyUI lists the folder for each check of a graph. */
const MAX_FILES = 2000;
/** What a download leaves of the disk, for ComfyUI's own files. */
const LEFT_FREE = 256 * 1024 * 1024;
/** Bytes of one write. */
const WRITE_BYTES = 1024 * 1024;
const PART = /^\.staged-[0-9a-f]{24}\.part$/;

interface Placed {
  sizeBytes: number;
  /** What a former run has left is read once before it is used. */
  isChecked: boolean;
}

interface Placing {
  wanted: number;
  done: Promise<void>;
  abort: AbortController;
}

/** @param comfyui its folder; undefined: it is not on this machine */
export function inputsOf(comfyui: string | undefined, gigabytes: number, log: Log): InputFolder | undefined {
  if (comfyui === undefined) return undefined;
  return createInputFolder({ folder: join(comfyui, 'input'), maxBytes: gigabytes * 1e9, log });
}

export function createInputFolder({ folder, maxBytes, log, free }: InputFolderOptions): InputFolder {
  /** The longest unused first. */
  const placed = new Map<string, Placed>();
  const placing = new Map<string, Placing>();
  const held = new Map<string, number>();
  const removing = new Map<string, Promise<void>>();
  let placedBytes = 0;
  /** Of downloads under way. */
  let comingBytes = 0;
  let found: Promise<void> | undefined;
  const freeBytes =
    free ??
    (async () => {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    });

  /** What a former run has left. */
  async function find(): Promise<void> {
    const names = await readdir(folder);
    for (const part of names.filter((name) => PART.test(name))) await rm(join(folder, part), { force: true });
    const files: { name: string; sizeBytes: number; usedAt: number }[] = [];
    for (const name of names.filter(isStagedName)) {
      const { size, atimeMs } = await stat(join(folder, name));
      files.push({ name, sizeBytes: size, usedAt: atimeMs });
    }
    files.sort((a, b) => a.usedAt - b.usedAt);
    for (const { name, sizeBytes } of files) add(name, { sizeBytes, isChecked: false });
  }

  function add(name: string, file: Placed): void {
    forget(name);
    placed.set(name, file);
    placedBytes += file.sizeBytes;
  }

  function forget(name: string): void {
    placedBytes -= placed.get(name)?.sizeBytes ?? 0;
    placed.delete(name);
  }

  function remove(name: string): Promise<void> {
    forget(name);
    const removal = rm(join(folder, name), { force: true }).finally(() => removing.delete(name));
    removing.set(name, removal);
    return removal;
  }

  /** Removes as much as it must of what no job holds, or all of that. */
  async function makeRoom(all = false): Promise<void> {
    const isOver = () => placedBytes + comingBytes > maxBytes || placed.size + placing.size > MAX_FILES;
    for (const name of placed.keys()) {
      if (!all && !isOver()) return;
      if (held.has(name) || placing.has(name)) continue;
      await remove(name);
      log.debug('input.evicted', { filename: name });
    }
  }

  /** Whether it is there as it was placed. Of what a former run has left it is read whether it has its hash. */
  async function isThere(name: string): Promise<boolean> {
    const file = placed.get(name);
    if (!file) return false;
    const path = join(folder, name);
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    const isSame = size === file.sizeBytes && (file.isChecked || (await hashOf(path)) === hashIn(name));
    if (!isSame) {
      await remove(name);
      return false;
    }
    add(name, { ...file, isChecked: true });
    // The order of a next run; the time of the last write stays, by which nodes see whether a file has changed.
    const { mtime } = await stat(path);
    await utimes(path, new Date(), mtime).catch(() => undefined);
    return true;
  }

  async function bring(name: string, source: () => Promise<InputBytes>, signal: AbortSignal): Promise<void> {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    await found;
    await removing.get(name);
    if (await isThere(name)) return;
    signal.throwIfAborted();
    const bytes = await source();
    const { sizeBytes, pieces } = bytes;
    comingBytes += sizeBytes;
    try {
      await makeRoom();
      if (!(await fits(sizeBytes))) await makeRoom(true);
      if (!(await fits(sizeBytes))) throw new StorageFull();
      await write(name, bytes, signal);
      add(name, { sizeBytes, isChecked: true });
    } finally {
      comingBytes -= sizeBytes;
      await pieces.return();
    }
  }

  async function fits(bytes: number): Promise<boolean> {
    return (await freeBytes()) >= bytes + Math.min(bytes, LEFT_FREE);
  }

  async function write(name: string, { pieces }: InputBytes, signal: AbortSignal): Promise<void> {
    const part = join(folder, `.staged-${randomBytes(12).toString('hex')}.part`);
    let file: FileHandle | undefined;
    try {
      file = await open(part, 'wx');
      await writeAll(file, pieces, signal);
      await file.sync();
      await file.close();
      file = undefined;
      // ComfyUI may run as another user.
      await chmod(part, 0o644);
      await rename(part, join(folder, name));
    } catch (error) {
      await file?.close();
      await rm(part, { force: true });
      throw isDiskFull(error) ? new StorageFull({ cause: error }) : error;
    }
  }

  return {
    hold(names) {
      for (const name of names) held.set(name, (held.get(name) ?? 0) + 1);
      let isReleased = false;
      return () => {
        if (isReleased) return;
        isReleased = true;
        for (const name of names) {
          const left = held.get(name)! - 1;
          if (left === 0) held.delete(name);
          else held.set(name, left);
        }
      };
    },

    async place(name, source, signal) {
      signal.throwIfAborted();
      let shared = placing.get(name);
      if (!shared) {
        const abort = new AbortController();
        const own: Placing = { wanted: 0, abort, done: bring(name, source, abort.signal) };
        const over = () => placing.get(name) === own && placing.delete(name);
        own.done.then(over, over);
        placing.set(name, own);
        shared = own;
      }
      shared.wanted += 1;
      try {
        await before(signal, shared.done);
      } finally {
        shared.wanted -= 1;
        if (shared.wanted === 0) {
          if (placing.get(name) === shared) placing.delete(name);
          shared.abort.abort(signal.reason);
        }
      }
    },
  };
}

async function writeAll(
  file: FileHandle,
  pieces: AsyncGenerator<Uint8Array, void>,
  signal: AbortSignal,
): Promise<void> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  const flush = async () => {
    const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    for (let done = 0; done < all.length;) done += (await file.write(all, done)).bytesWritten;
  };
  for await (const piece of pieces) {
    signal.throwIfAborted();
    waiting.push(piece);
    waitingBytes += piece.length;
    if (waitingBytes >= WRITE_BYTES) await flush();
  }
  await flush();
}

function hashIn(name: string): string {
  return name.slice('staged-'.length, 'staged-'.length + 64);
}

async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
