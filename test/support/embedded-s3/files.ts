// A bucket as a folder: one file per object, content first, then its description; renamed into place and synced before
// the answer. A file whose description is not whole is ignored. Only one process may use a folder.

import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { mkdir, open, readdir, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Body, Digests } from './body.ts';
import { describe, readDescription, type StoredObject } from './description.ts';

const FILE_NAME = /^[0-9a-f]{40}-/;
/** Small objects are written in one write. */
const WRITE_BYTES = 256 * 1024;

/**
 * The name is a digest, so that no key leaves the folder, is too long, or collides with another in a file system that
 * ignores case; the readable end lets a person find and open an image.
 */
function fileName(key: string): string {
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 40);
  const last = key.slice(key.lastIndexOf('/') + 1).toLowerCase();
  return `${digest}-${last.replaceAll(/[^a-z0-9._-]+/g, '_').slice(-100)}`;
}

/** S3 orders keys by their UTF-8 bytes; JavaScript compares UTF-16 units. */
const orderOf = (key: string): string => Buffer.from(key).toString('latin1');

export async function openBucket(directory: string, incoming: string) {
  await mkdir(directory, { recursive: true });
  const names = (await readdir(directory)).filter((name) => FILE_NAME.test(name));
  const objects = names
    .flatMap((name) => {
      const object = readDescription(join(directory, name));
      return object && fileName(object.key) === name ? [{ order: orderOf(object.key), object }] : [];
    })
    .sort((a, b) => (a.order < b.order ? -1 : 1));

  /** Index of the first object at or after `order`. */
  function placeOf(order: string): number {
    let low = 0;
    let high = objects.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (objects[middle]!.order < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function find(key: string): StoredObject | undefined {
    const order = orderOf(key);
    const at = objects[placeOf(order)];
    return at?.order === order ? at.object : undefined;
  }

  function forget(key: string): void {
    if (find(key)) objects.splice(placeOf(orderOf(key)), 1);
  }

  return {
    find,

    /** Returns undefined if `ifAbsent` is set and the key exists. A put that fails or is killed leaves no object. */
    async put(
      key: string,
      body: Body,
      settings: { headers: Record<string, string>; now: () => number; ifAbsent: boolean },
    ): Promise<StoredObject | undefined> {
      const temporary = join(incoming, randomBytes(12).toString('hex'));
      let kept = false;
      try {
        const object = await write(temporary, body, (digests) => ({
          key,
          ...digests,
          lastModified: settings.now(),
          headers: settings.headers,
        }));
        // From here on nothing is awaited before the object is listed: of two conditional puts, one finds the other's object.
        if (settings.ifAbsent && find(key)) return undefined;
        moveInto(directory, temporary, fileName(key));
        kept = true;
        const order = orderOf(key);
        const place = placeOf(order);
        objects.splice(place, objects[place]?.order === order ? 1 : 0, { order, object });
        await flushFolder(directory);
        return object;
      } finally {
        if (!kept) await rm(temporary, { force: true });
      }
    },

    /** An open file and its description, which match even if the key is put or deleted while it is open. */
    open(key: string): { object: StoredObject; fd: number } | undefined {
      const object = find(key);
      if (!object) return undefined;
      try {
        const fd = openSync(join(directory, fileName(key)), 'r');
        if (fstatSync(fd).size === object.sizeBytes + describe(object).length) return { object, fd };
        closeSync(fd);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      forget(key);
      return undefined;
    },

    remove(key: string): void {
      if (!find(key)) return;
      try {
        unlinkSync(join(directory, fileName(key)));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      forget(key);
    },

    list(
      prefix: string,
      after: string | undefined,
      limit: number,
    ): { objects: StoredObject[]; more: boolean } {
      const start = orderOf(prefix);
      const behind = after === undefined ? '' : `${orderOf(after)}\0`;
      const first = placeOf(behind > start ? behind : start);
      // UTF-8 never has the byte 0xff: this is the end of the keys with the prefix.
      const end = Math.max(first, placeOf(`${start}\xff`));
      const found = objects.slice(first, Math.min(end, first + limit)).map(({ object }) => object);
      return { objects: found, more: first + limit < end };
    },
  };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Renames a file; creates the folder again if it was deleted. */
function moveInto(directory: string, path: string, name: string): void {
  try {
    renameSync(path, join(directory, name));
  } catch (error) {
    if (!isMissing(error)) throw error;
    mkdirSync(directory, { recursive: true });
    renameSync(path, join(directory, name));
  }
}

/** Creates a file, like `moveInto` with its folder if that was deleted. */
async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'wx');
  }
}

/** Syncs the folder's names: without this, a power cut can undo a renaming. */
async function flushFolder(directory: string): Promise<void> {
  const folder = await open(directory);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export type Bucket = Awaited<ReturnType<typeof openBucket>>;

async function write(
  path: string,
  body: Body,
  finish: (digests: Digests) => StoredObject,
): Promise<StoredObject> {
  let file: FileHandle | undefined;
  let held: Buffer[] = [];
  let bytes = 0;
  async function flush(): Promise<void> {
    file ??= await create(path);
    const all = held.length === 1 ? held[0]! : Buffer.concat(held);
    held = [];
    bytes = 0;
    for (let done = 0; done < all.length;) done += (await file.write(all, done)).bytesWritten;
  }
  try {
    let piece = await body.next();
    for (; !piece.done; piece = await body.next()) {
      held.push(piece.value);
      bytes += piece.value.length;
      if (bytes >= WRITE_BYTES) await flush();
    }
    const object = finish(piece.value);
    held.push(describe(object));
    await flush();
    await file!.datasync();
    return object;
  } finally {
    await body.return(undefined as never);
    await file?.close();
  }
}
