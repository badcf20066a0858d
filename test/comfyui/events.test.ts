// The socket to ComfyUI notices when its other end is gone.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { connectEvents, type EventSocket } from '../../functions/comfyui/events.ts';
import { TIMINGS } from '../../functions/core/timings.ts';

const IDLE = { event: () => undefined, disconnected: () => undefined };

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
  socket = connectEvents({ url: `http://127.0.0.1:${port}`, headers: {} }, IDLE, {
    ...TIMINGS,
    comfyuiPingEvery: 50,
  });
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

test('hears what is sent to it although ComfyUI notices late that the older connection has closed', async () => {
  // As ComfyUI keeps them: by client id, and when one closes, whatever stands under its id is taken off the list.
  const sockets = new Map<string, WebSocket>();
  const ids: string[] = [];
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (opened, request) => {
    const id = new URL(request.url ?? '', 'http://x').searchParams.get('clientId') ?? '';
    ids.push(id);
    sockets.set(id, opened);
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const heard: string[] = [];
  let cuts = 0;
  socket = connectEvents(
    { url: `http://127.0.0.1:${port}`, headers: {} },
    { event: ({ data }) => heard.push(data.prompt_id), disconnected: () => (cuts += 1) },
  );
  await expect.poll(() => ids.length).toBe(1);
  for (const client of server.clients) client.terminate();
  await expect.poll(() => ids.length, { timeout: 5000 }).toBe(2);
  expect(cuts).toBe(1);
  // Only now the first one is known to be closed.
  sockets.delete(ids[0]!);
  sockets
    .get(socket.clientId())
    ?.send(JSON.stringify({ type: 'execution_start', data: { prompt_id: 'posted under the new id' } }));
  await expect.poll(() => heard).toEqual(['posted under the new id']);
});
