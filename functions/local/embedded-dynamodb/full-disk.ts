// The table on a full disk: new jobs are refused before LevelDB is asked to write, changes and deletions of what is there
// live on the reserve, and reads go on whatever fails.

import { jobsTable } from '../../store/tables.ts';
import type { DiskRoom } from '../disk-room.ts';
import type { WriteGuard } from './mended-dynalite.ts';

const POLLS_EVERY = 500;

/**
 * @param say on the terminal, at each change
 * @param reopen ends this process: a LevelDB that could not write takes no write more before it is opened anew
 */
export function guardWrites(room: DiskRoom, say: (line: string) => void, reopen: () => void): WriteGuard {
  let failed = false;
  let isFull = false;
  const poll = () => {
    // Opened anew without room it could not even be read.
    if (failed && room.opens()) reopen();
    const full = failed || !room.takes(0);
    if (full === isFull) return;
    isFull = full;
    say(
      full
        ? 'The disk is full: new jobs and uploads are refused, deleting some makes room'
        : 'There is room on the disk again',
    );
  };
  poll();
  setInterval(() => {
    poll();
    void room.refill().catch(() => undefined);
  }, POLLS_EVERY).unref();
  return {
    // Jobs are what grows; all else is small, and as much as there are owners and hosts.
    refuses: (table, isNew) =>
      failed || !room.changes() || (isNew && table.endsWith(jobsTable.name) && !room.takes(0)),
    failed(error) {
      failed = true;
      say(`The job table cannot be written: ${error.message}`);
    },
  };
}
