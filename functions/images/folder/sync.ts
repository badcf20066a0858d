// Folders whose names are on the disk: without a sync of the folder a power cut can undo a renaming, and without one of
// the folders above it can take the folder itself.

import { closeSync, fsync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const fsyncOf = promisify(fsync);

/** Folders that are remembered as settled, at most. */
const REMEMBERED = 10_000;

export interface Syncing {
  /** Syncs the names in a folder; at its first use in this process also those of the folders above, the root among them. */
  settle(folder: string): Promise<void>;
  /** The folder was removed, or made anew: the next use syncs the folders above again. */
  forget(folder: string): void;
}

export function createSyncing(root: string): Syncing {
  const top = dirname(root);
  /** The folders above are synced, or will be when the promise resolves. */
  const settled = new Map<string, Promise<void>>();
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  /** A sync that began before the call may miss what was just written: all who wait share the next one. */
  function sync(folder: string): Promise<void> {
    const now = running.get(folder);
    if (!now) {
      const started = syncFolder(folder).finally(() => running.delete(folder));
      running.set(folder, started);
      return started;
    }
    let following = next.get(folder);
    if (!following) {
      following = now
        .catch(() => undefined)
        .then(() => {
          next.delete(folder);
          return sync(folder);
        });
      next.set(folder, following);
    }
    return following;
  }

  function settleAbove(folder: string): Promise<void> {
    if (folder === top) return Promise.resolve();
    const known = settled.get(folder);
    if (known) return known;
    const parent = dirname(folder);
    const above = Promise.all([sync(parent), settleAbove(parent)]).then(() => undefined);
    if (settled.size >= REMEMBERED) settled.clear();
    settled.set(folder, above);
    above.catch(() => settled.delete(folder));
    return above;
  }

  return {
    async settle(folder) {
      await Promise.all([sync(folder), settleAbove(folder)]);
    },
    forget: (folder) => void settled.delete(folder),
  };
}

/** Only the sync itself may wait for the disk: handles of promises cost more than all else here. */
async function syncFolder(folder: string): Promise<void> {
  // Windows syncs no folders; NTFS writes names to its journal.
  if (process.platform === 'win32') return;
  const fd = opened(folder);
  if (fd === undefined) return;
  try {
    await fsyncOf(fd);
  } finally {
    closeSync(fd);
  }
}

/** Undefined: it has gone with its last file, so what was written to it was deleted since. */
function opened(folder: string): number | undefined {
  try {
    return openSync(folder, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
