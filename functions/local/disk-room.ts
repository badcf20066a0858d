// How much may still be written to the workspace's disk. A file beside the table reserves space that other programs cannot
// use; the reserve shrinks step by step, as changes and deletions of existing items need it. New items get none of it.

import { randomBytes } from 'node:crypto';
import { existsSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

const MB = 1024 * 1024;
/** LevelDB rewrites some files of 2 MB before it deletes the old ones. Bytes. */
const RESERVE = 16 * MB;
/** Bytes that stay free after a new item, beside the reserve. */
const LEFT = 2 * MB;
/** Bytes for a change or a deletion of an existing item. */
const CHANGE = MB / 2;
/** Bytes for opening a table: LevelDB turns its log into a table file before it deletes the log. */
const OPENING = 8 * MB;

export interface DiskRoom {
  /** Whether something new of this size fits. */
  takes(bytes: number): boolean;
  /** Whether a change or a deletion fits. Frees what it needs from the reserve. */
  changes(): boolean;
  /** Frees what opening a table needs from the reserve; returns whether that is enough. */
  opens(): boolean;
  /** Fills the reserve again if the disk has enough space. */
  refill(): Promise<void>;
}

/** @param table folder of the embedded table; the reserve file lies beside it */
export function diskRoom(table: string): DiskRoom {
  const reserve = `${table}.reserve`;
  let refilling: Promise<void> | undefined;
  const held = () => statSync(reserve, { throwIfNoEntry: false })?.size ?? 0;
  const free = () => {
    const folder = dirname(table);
    if (!existsSync(folder)) return Infinity;
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  };

  function letGo(wanted: number): boolean {
    const missing = wanted - free();
    if (missing <= 0) return true;
    const size = held();
    if (size > 0) truncateSync(reserve, Math.max(0, size - missing));
    return free() >= wanted / 2;
  }

  return {
    takes: (bytes) => free() - Math.max(0, RESERVE - held()) >= LEFT + bytes,
    changes: () => letGo(CHANGE),
    opens: () => letGo(OPENING),

    refill() {
      // On a slow disk one takes longer than the next is away: two would fill it twice.
      refilling ??= refill().finally(() => (refilling = undefined));
      return refilling;
    },
  };

  async function refill(): Promise<void> {
    const missing = RESERVE - held();
    if (missing <= 0 || free() - missing < LEFT) return;
    const file = await open(reserve, 'a', 0o600);
    try {
      // Random bytes, because a file system that compresses would store zeros in no space.
      for (let left = missing; left > 0; left -= MB) await file.appendFile(randomBytes(Math.min(MB, left)));
    } finally {
      await file.close();
    }
  }
}
