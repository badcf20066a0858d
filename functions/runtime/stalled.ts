// Disconnects clients that take nothing of their answer: they would hold what the answer comes from. Progress is what the
// system has accepted for sending; where it buffers much, a slow reader makes progress only now and then.

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Polls every `every` ms. A client that waits for bytes that are not there yet is left connected. */
export function cutStalled(server: Server, after: number, every: number): void {
  /** How much each had taken at the last poll, and for how many polls. */
  const sockets = new Map<Socket, { taken: number; polls: number }>();
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, { taken: 0, polls: 0 });
    socket.once('close', () => sockets.delete(socket));
  });
  // Counted in polls, not by the clock: a machine that slept has not polled.
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
