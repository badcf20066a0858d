// The tables of the local stack: a file in the workspace, and what is logged about it, its disk and its clock.

import { join } from 'node:path';
import type { Log } from '../log.ts';
import { jumpInWords } from '../runtime/clock-jump.ts';
import { type EmbeddedEngine, openEmbedded } from '../store/embedded/engine.ts';
import { takeOverTables } from '../store/embedded/take-over.ts';
import type { DiskRoom } from './disk-room.ts';

const POLLS_EVERY = 500;
const FILE = { file: 'tables.mdb' };

/**
 * The tables of a workspace; the first to open them takes over those of release 0.1, so many items.
 * @throws AppError bad_setting for a file that cannot be opened, in_use for an old folder that is in use
 */
export async function openWorkspaceTables(
  directory: string,
  room?: DiskRoom,
): Promise<{ engine: EmbeddedEngine; takenOver: number | undefined }> {
  const engine = openEmbedded({ directory, room });
  const former = join(directory, 'dynamodb');
  try {
    return { engine, takenOver: await takeOverTables(former, engine) };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The same, watched for as long as they are open. */
export async function openLocalTables(
  directory: string,
  room: DiskRoom,
  log: Log,
): ReturnType<typeof openWorkspaceTables> {
  const { engine, takenOver } = await openWorkspaceTables(directory, room);
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
  const watched = {
    ...engine,
    async close() {
      clearInterval(polling);
      await engine.close();
    },
  };
  return { engine: watched, takenOver };
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
