// The tables of the local stack: a file in the workspace, and what is logged about it, its disk and its clock.

import type { Log } from '../log.ts';
import { jumpInWords } from '../runtime/clock-jump.ts';
import { type EmbeddedEngine, openEmbedded } from '../store/embedded/engine.ts';
import type { DiskRoom } from './disk-room.ts';

const POLLS_EVERY = 500;
const FILE = { file: 'tables.mdb' };

/** @throws AppError bad_setting for a file that cannot be opened */
export function openLocalTables(directory: string, room: DiskRoom, log: Log): EmbeddedEngine {
  const engine = openEmbedded({ directory, room });
  engine.clock.onJump((by) => log.warn('clock.jumped', { ms: by, reason: jumpInWords(by) }));
  const pollRoom = watchRoom(room, log);
  const poll = () => {
    pollRoom();
    engine.restoreIfGone().then(
      (wasGone) => wasGone && log.warn('table.restored', FILE),
      (error: unknown) => log.error('table.restore_failed', error, FILE),
    );
  };
  poll();
  const polling = setInterval(poll, POLLS_EVERY).unref();
  return {
    ...engine,
    async close() {
      clearInterval(polling);
      await engine.close();
    },
  };
}

/** Reports a full disk, and its end, once each; keeps the reserve filled. */
function watchRoom(room: DiskRoom, log: Log): () => void {
  let isFull = false;
  return () => {
    void room.refill().catch(() => undefined);
    const full = !room.takes(0);
    if (full === isFull) return;
    isFull = full;
    if (full)
      log.warn('workspace.filled', { reason: 'new jobs and uploads are refused, deleting some makes room' });
    else log.info('workspace.freed', { reason: 'jobs are accepted again' });
  };
}
