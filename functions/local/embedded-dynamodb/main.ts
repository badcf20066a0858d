// The embedded DynamoDB: dynalite on disk, in its own process because an internal error can end it. Forked with an IPC
// channel by `startChild` (child.ts); ends when the channel closes.

import { ClassicLevel } from 'classic-level';
import { ignoreBrokenPipes, writePrivately } from '../../runtime/exit.ts';
import { collectEarly } from '../../runtime/memory.ts';
import { diskRoom } from '../disk-room.ts';
import { keepMark } from './damage.ts';
import { guardWrites } from './full-disk.ts';
import { onlyWith } from './access.ts';
import { createDynalite } from './mended-dynalite.ts';
import { waitForLock } from '../../runtime/lock.ts';

const { DIRECTORY: path, PORT: port, TOKEN: token } = process.env;
if (path === undefined || token === undefined || !process.send) {
  console.error('usage: forked with DIRECTORY, TOKEN, PORT and an IPC channel');
  process.exit(1);
}
ignoreBrokenPipes();
writePrivately();
process.on('disconnect', () => process.exit(0));
// Signals reach the whole process group (Ctrl-C, systemd, a terminal that closes): the parent decides when this ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
// After a failed write LevelDB accepts no other until it is opened again. The parent restarts this process.
process.on('uncaughtException', (error: Error & { code?: string; cause?: unknown }) => {
  const { message } = error.cause instanceof Error ? error.cause : error;
  const isDisk = error.code?.startsWith('LEVEL_') === true;
  console.error(isDisk ? `The job table cannot be written: ${message}` : error);
  process.exit(1);
});

// The child of a former parent may not have noticed yet that its parent ended.
const lock = await waitForLock(`${path}.lock`);
// This listener also keeps the lock from being garbage-collected, which would release it.
process.on('exit', () => void lock.release());

const room = diskRoom(path);
room.opens();
// Checked first, because dynalite would start without the table and fail every request.
const table = new ClassicLevel(path);
try {
  await table.open();
  await table.close();
} catch (error) {
  const { cause } = error as Error;
  console.error(
    `The job table in ${path} cannot be opened: ${cause instanceof Error ? cause.message : String(error)}`,
  );
  process.exit(1);
}

collectEarly();
keepMark(path);
const writes = guardWrites(
  room,
  (line) => console.error(line),
  () => process.exit(1),
);
const server = onlyWith(token, createDynalite(path, writes));
server.listen(Number(port ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.send!({ port: typeof address === 'object' ? address?.port : undefined });
});
