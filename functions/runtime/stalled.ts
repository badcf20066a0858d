// Cuts whoever takes nothing of its answer: it would hold what the answer comes from. What moves is what the system has
// taken over for sending; where it buffers much, a slow reader shows itself only now and then.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Looks every `every` ms. Who waits for bytes that are not there yet is not meant. */
export function cutStalled(server: Server, after: number, every: number): void {
  /** How much each had taken at the last look, and for how many looks. */
  const sockets = new Map<Socket, { taken: number; polls: number }>();
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, { taken: 0, polls: 0 });
    socket.once('close', () => sockets.delete(socket));
  });
  // By looks, not by the clock: a machine that slept has not looked.
  const enough = Math.ceil(after / every);
  const timer = setInterval(() => {
    for (const [socket, seen] of sockets) {
      const taken = socket.bytesWritten - socket.writableLength;
      const stalled = socket.writableLength > 0 && taken === seen.taken;
      const polls = stalled ? seen.polls + 1 : 0;
      sockets.set(socket, { taken, polls });
      // A farewell would wait behind what it does not take.
      if (polls > enough) socket.resetAndDestroy();
    }
  }, every);
  timer.unref();
  server.once('close', () => clearInterval(timer));
}
