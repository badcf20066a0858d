// The socket to ComfyUI notices when nobody is at its other end any more.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { connectEvents, type EventSocket } from '../../functions/comfyui/events.ts';

let server: WebSocketServer;
let socket: EventSocket;
afterEach(() => {
  socket.close();
  server.close();
});

async function connect(autoPong: boolean): Promise<() => number> {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  socket = connectEvents({ url: `http://127.0.0.1:${port}`, headers: {} }, 'machine', () => undefined, 50);
  await expect.poll(() => connections).toBe(1);
  return () => connections;
}

test('one that answers nothing is connected anew', async () => {
  const connections = await connect(false);
  await expect.poll(connections, { timeout: 5000 }).toBeGreaterThan(1);
});

test('one that answers stays, however silent it is else', async () => {
  const connections = await connect(true);
  let pings = 0;
  for (const client of server.clients) client.on('ping', () => (pings += 1));
  await expect.poll(() => pings, { timeout: 5000 }).toBeGreaterThan(5);
  expect(connections()).toBe(1);
});
