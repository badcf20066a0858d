// dynalite on disk, as a process of its own: for what runs alone in tests, in chaos and in the bench. Forked with an IPC
// channel; ends when that closes.

import { ignoreBrokenPipes, writePrivately } from '../../../functions/runtime/exit.ts';
import { waitForLock } from '../../../functions/runtime/lock.ts';
import { createDynalite } from './mended-dynalite.ts';

const { DIRECTORY: path, PORT: port } = process.env;
if (path === undefined || !process.send) {
  console.error('usage: forked with DIRECTORY, PORT and an IPC channel');
  process.exit(1);
}
ignoreBrokenPipes();
writePrivately();
process.on('disconnect', () => process.exit(0));
// Signals reach the whole process group: the parent decides when this ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

// The child of a former parent may not have noticed yet that its parent ended.
const lock = await waitForLock(`${path}.lock`);
// This listener also keeps the lock from being garbage-collected, which would release it.
process.on('exit', () => void lock.release());

const server = createDynalite(path);
server.listen(Number(port ?? 0), '127.0.0.1', () => {
  const address = server.address();
  process.send!({ port: typeof address === 'object' ? address?.port : undefined });
});
