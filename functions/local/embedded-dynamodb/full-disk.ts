// The table on a full disk: new jobs are refused before LevelDB writes, changes and deletions of existing items use the
// reserve, and reads continue.

import { jobsTable } from '../../store/tables.ts';
import type { DiskRoom } from '../disk-room.ts';
import type { WriteGuard } from './mended-dynalite.ts';

const POLLS_EVERY = 500;

/**
 * @param say prints a line to the terminal, at each change
 * @param reopen ends this process: after a failed write LevelDB accepts no other until it is opened again
 */
export function guardWrites(room: DiskRoom, say: (line: string) => void, reopen: () => void): WriteGuard {
  let failed = false;
  let isFull = false;
  const poll = () => {
    // Without free space LevelDB could not even be opened for reading.
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
    // Only jobs grow without bound; other items are small and as many as there are owners and hosts.
    refuses: (table, isNew) =>
      failed || !room.changes() || (isNew && table.endsWith(jobsTable.name) && !room.takes(0)),
    failed(error) {
      failed = true;
      say(`The job table cannot be written: ${error.message}`);
    },
  };
}
