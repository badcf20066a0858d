// How much may still be written to the disk where the workspace lies. A file beside the table holds some room: whoever
// else fills the disk does not get that, and it is let go bit by bit, as changes and deletions of what is there need it.
// What is new gets none of it.

import { randomBytes } from 'node:crypto';
import { existsSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';

const MB = 1024 * 1024;
/** LevelDB rewrites some files of 2 MB before it deletes what they replace. */
const RESERVE = 16 * MB;
/** Must be left by what is new, beside the reserve. */
const LEFT = 2 * MB;
/** For a change of what is there, or its deletion. */
const CHANGE = MB / 2;
/** To open a table: its log becomes a file, and then goes. */
const OPENING = 8 * MB;

export interface DiskRoom {
  /** For so many bytes of something new? */
  takes(bytes: number): boolean;
  /** For a change or a deletion? Lets go of what that needs. */
  changes(): boolean;
  /** Lets go of what a table needs to be opened. */
  opens(): boolean;
  /** Fills the reserve again, where there is room for that. */
  refill(): Promise<void>;
}

/** @param table the folder of the embedded table: the file lies beside it */
export function diskRoom(table: string): DiskRoom {
  const reserve = `${table}.reserve`;
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
    takes: (bytes) => free() - (RESERVE - held()) >= LEFT + bytes,
    changes: () => letGo(CHANGE),
    opens: () => letGo(OPENING),

    async refill() {
      const missing = RESERVE - held();
      if (missing <= 0 || free() - missing < LEFT) return;
      const file = await open(reserve, 'a', 0o600);
      try {
        // Zeros take no room where the file system packs them.
        for (let left = missing; left > 0; left -= MB) await file.appendFile(randomBytes(Math.min(MB, left)));
      } finally {
        await file.close();
      }
    },
  };
}
