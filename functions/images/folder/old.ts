// Removes the images that have become too old. An image's date stands in its file alone: a file's own date is another one
// once a workspace was copied. So files are opened, but not in every round: of a folder it is remembered how old its oldest
// image is, and nothing in it is opened again until that one is too old, or a name in the folder has come or gone.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from './errors.ts';
import { bytesOf, bytesOfEntry, descend, keyOf } from './names.ts';

/** Of a date, ms. */
type IsOld = (lastModified: number) => boolean;

export interface OldOptions {
  root: string;
  /** Undefined: it is no image of ours, cannot be read, or is gone. */
  dateOf(key: string, path: string): Promise<number | undefined>;
  remove(path: string): Promise<void>;
}

/** A folder as a round has left it. */
interface Seen {
  /** A folder's date changes when a name in it comes or goes. */
  changedAt: bigint;
  /** Date of its oldest image; `Infinity` without one, `-Infinity` where a file could not be read. */
  oldest: number;
  folders: Map<string, Seen>;
}

/** Files that are opened at the same time. */
const TOGETHER = 16;

/** @returns removes the images whose keys begin with the name of a folder, `images/`. It resolves to how many they were */
export function createOldRemoval({
  root,
  dateOf,
  remove,
}: OldOptions): (prefix: string, isOld: IsOld) => Promise<number> {
  const seen = new Map<string, Seen | undefined>();

  return async (prefix, isOld) => {
    let removed = 0;

    /** @returns undefined: there is no such folder */
    async function visit(bytes: string, path: string, before?: Seen): Promise<Seen | undefined> {
      const changedAt = await changeOf(path);
      if (changedAt === undefined) return undefined;
      const found =
        before?.changedAt === changedAt && !isOld(before.oldest)
          ? { oldest: before.oldest, folders: [...before.folders.keys()] }
          : await look(bytes, path);
      const folders = new Map<string, Seen>();
      for (const name of found.folders) {
        const own = bytesOfEntry(name, false);
        const inner =
          own !== undefined && (await visit(bytes + own, join(path, name), before?.folders.get(name)));
        if (inner) folders.set(name, inner);
      }
      return { changedAt, oldest: found.oldest, folders };
    }

    async function look(bytes: string, path: string): Promise<{ oldest: number; folders: string[] }> {
      const entries = await entriesOf(path);
      const files = entries.flatMap((entry) => {
        const own = entry.isFile() ? bytesOfEntry(entry.name, true) : undefined;
        return own === undefined ? [] : [{ key: keyOf(bytes + own), path: join(path, entry.name) }];
      });
      let oldest = Infinity;
      while (files.length > 0) {
        const dates = await Promise.all(files.splice(0, TOGETHER).map(removeIfOld));
        oldest = Math.min(oldest, ...dates);
      }
      return { oldest, folders: entries.filter((entry) => entry.isDirectory()).map(({ name }) => name) };
    }

    /** @returns the date of one that stays */
    async function removeIfOld(file: { key: string; path: string }): Promise<number> {
      const date = (await dateOf(file.key, file.path)) ?? -Infinity;
      if (date === -Infinity || !isOld(date)) return date;
      await remove(file.path);
      removed += 1;
      return Infinity;
    }

    const { folders } = descend(bytesOf(prefix));
    seen.set(prefix, await visit(bytesOf(prefix), join(root, ...folders), seen.get(prefix)));
    return removed;
  };
}

async function changeOf(folder: string): Promise<bigint | undefined> {
  try {
    return (await stat(folder, { bigint: true })).mtimeNs;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // Its last image was deleted since.
    if (isMissing(error)) return [];
    throw error;
  }
}
