// Images in a folder of this machine, a file each. Nothing is read at the start and nothing is remembered: where an image
// lies follows from its key. One process at a time uses the folder.

import { open, rm, rmdir, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isDiskFull, StorageFull } from '../../core/disk-full.ts';
import type { Log } from '../../log.ts';
import { type ImageBody, type ImageMeta, type Images, type ListedImage } from '../images.ts';
import { type Description, readDescription, readDescriptionSync } from './description.ts';
import { isMissing, isUnreadable } from './errors.ts';
import { bytesOf, bytesOfKey, keyOf, placeOf } from './names.ts';
import { createOldRemoval } from './old.ts';
import { bytesOfFile, bytesOfMemory, isSame, rangeOf } from './read.ts';
import { createSyncing } from './sync.ts';
import { walk } from './walk.ts';
import { discard, store, type Writing } from './write.ts';

export interface FolderOptions {
  directory: string;
  log: Log;
  /** Whether so many more bytes fit on the disk; absent: a put is refused when a write fails. */
  hasRoom?: (bytes: number) => boolean;
  now?: () => number;
}

export interface FolderImages extends Images {
  /**
   * Removes the images below a folder of keys (`images/`) of which `isOld` says, by their date in ms, that they have become
   * too old. @returns how many they were
   */
  removeOld(prefix: string, isOld: (lastModified: number) => boolean): Promise<number>;
}

/** Files up to this size are read at once, with their description; larger ones while they are sent. Bytes. */
const SMALL = 128 * 1024;
/** Files that are opened at the same time to list or to delete them. */
const TOGETHER = 16;

/** Removes what a process that was killed had begun to write. */
export async function openFolderImages({
  directory,
  log,
  hasRoom = () => true,
  now = Date.now,
}: FolderOptions): Promise<FolderImages> {
  const root = resolve(directory);
  const incoming = join(root, '.incoming');
  await rm(incoming, { recursive: true, force: true });
  const syncing = createSyncing(root);
  const writing: Writing = { incoming, syncing, hasRoom, now };

  function pathOf(key: string): string {
    const { folders, name } = placeOf(bytesOfKey(key));
    return join(root, ...folders, name);
  }

  /** The caller closes the file. `end`: of the file; all of it if it is small and `entire`. */
  async function openFile(key: string, path: string, entire = false) {
    let file: FileHandle | undefined;
    let isOurs = false;
    try {
      file = await open(path);
      const { size } = await file.stat();
      const read = await readDescription(file, size, entire && size <= SMALL ? size : undefined);
      isOurs = read?.description.key === key;
      if (isOurs) return { file, ...read! };
      log.warn('image.changed', { key });
      return undefined;
    } catch (error) {
      if (!isMissing(error) && !isUnreadable(error)) throw error;
      if (!isMissing(error)) log.warn('image.read_failed', { file: path, error: (error as Error).message });
      return undefined;
    } finally {
      if (!isOurs) await file?.close();
    }
  }

  async function describedAt(key: string, path: string): Promise<Description | undefined> {
    const opened = await openFile(key, path);
    await opened?.file.close();
    return opened?.description;
  }

  function isTaken(key: string, path: string): boolean {
    try {
      return readDescriptionSync(path)?.key === key;
    } catch (error) {
      if (isMissing(error) || isUnreadable(error)) return false;
      throw error;
    }
  }

  async function write(key: string, body: ImageBody, meta: ImageMeta, once = false) {
    try {
      const path = pathOf(key);
      const target = { key, path, ...(once && { isTaken: () => isTaken(key, path) }) };
      if (target.isTaken?.() === true) {
        await discard(body);
        return undefined;
      }
      const sizeBytes = body instanceof Uint8Array ? body.length : meta.sizeBytes;
      if (!hasRoom(sizeBytes ?? 0)) throw new StorageFull();
      return await store(writing, target, body, meta);
    } catch (error) {
      await discard(body);
      if (isDiskFull(error)) throw new StorageFull({ cause: error });
      throw error;
    }
  }

  async function remove(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    // A folder goes with its last file, and those above it.
    for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        // It is not empty, or another deletion has removed it.
        return;
      }
      syncing.forget(folder);
    }
  }

  async function* listed(prefix: string, after = ''): AsyncGenerator<ListedImage> {
    const batch: { key: string; path: string }[] = [];
    const described = () =>
      Promise.all(
        batch.splice(0).map(async ({ key, path }) => {
          const found = await describedAt(key, path);
          return found
            ? [{ key, sizeBytes: found.sizeBytes, lastModified: new Date(found.lastModified) }]
            : [];
        }),
      );
    for await (const { bytes, path } of walk(root, bytesOf(prefix), bytesOf(after))) {
      batch.push({ key: keyOf(bytes), path });
      if (batch.length >= TOGETHER) yield* (await described()).flat();
    }
    yield* (await described()).flat();
  }

  const images: FolderImages = {
    outputDirectory: join(root, 'images'),

    async put(key, body, meta) {
      const { sizeBytes, etag } = (await write(key, body, meta))!;
      return { sizeBytes, etag };
    },

    async putOnce(key, body, meta) {
      return (await write(key, body, meta, true)) ? 'written' : 'existed';
    },

    async get(key, { range, ifNoneMatch } = {}) {
      const opened = await openFile(key, pathOf(key), true);
      if (!opened) return undefined;
      const { file, description, end } = opened;
      const { sizeBytes } = description;
      let isRead = true;
      try {
        if (isSame(ifNoneMatch, description.etag)) return 'not-modified';
        const part = rangeOf(range, sizeBytes);
        const { from, to } = part ?? { from: 0, to: sizeBytes };
        const sum = part ? undefined : description.crc32;
        isRead = end.length > sizeBytes;
        return {
          ...headOf(description),
          body: isRead ? bytesOfMemory(end.subarray(from, to), sum) : bytesOfFile(file, { from, to }, sum),
          contentLength: to - from,
          ...(part && { contentRange: `bytes ${from}-${to - 1}/${sizeBytes}` }),
          partial: part !== undefined,
        };
      } finally {
        if (isRead) await file.close();
      }
    },

    async head(key) {
      const found = await describedAt(key, pathOf(key));
      return found && { ...headOf(found), sizeBytes: found.sizeBytes };
    },

    async renew(key) {
      const stored = await images.get(key);
      if (!stored || stored === 'not-modified') return false;
      const { body, contentType, contentLength } = stored;
      await images.put(key, body, { contentType, sizeBytes: contentLength });
      return true;
    },

    async delete(keys) {
      const paths = keys.map(pathOf);
      while (paths.length > 0) await Promise.all(paths.splice(0, TOGETHER).map(remove));
    },

    removeOld: createOldRemoval({
      root,
      dateOf: async (key, path) => (await describedAt(key, path))?.lastModified,
      remove,
    }),

    list: (prefix) => listed(prefix),

    async page(prefix, limit, after) {
      const items: ListedImage[] = [];
      for await (const item of listed(prefix, after)) {
        if (items.length >= limit) return { items, more: true };
        items.push(item);
      }
      return { items, more: false };
    },
  };
  return images;
}

function headOf({ headers, etag, lastModified }: Description) {
  return { contentType: headers['content-type'], etag, lastModified: new Date(lastModified) };
}
