// Callers that send nothing, or a byte a second, cost a connection for a bounded time and disturb nobody.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONNECTION_LIMITS, listen, type Listening, listenerOf } from '../../functions/runtime/listen.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { countStored, eventually } from './support.ts';

let rig: Rig;
let server: Listening;
let url: string;
beforeAll(async () => {
  rig = await startRig();
  server = await listen(listenerOf(rig.app), '127.0.0.1', 0, {
    ...CONNECTION_LIMITS,
    headersTimeout: 2000,
    requestTimeout: 2500,
    connectionsCheckingInterval: 100,
    keepAliveTimeout: 1000,
    closeTimeout: 500,
  });
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  await rig.close();
});

async function open(port = server.port): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  // Unread, an answer would hold back the end of the connection.
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

async function answersPromptly(): Promise<void> {
  const start = Date.now();
  const answer = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"prompt": "a red fox"}',
  });
  expect(answer.status).toBe(202);
  expect(Date.now() - start).toBeLessThan(2000);
}

test('1,000 connections that send nothing: others are served promptly, and they are let go', async () => {
  const sockets: Socket[] = [];
  for (let batch = 0; batch < 10; batch += 1)
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open()))));
  expect(sockets.filter(({ destroyed }) => !destroyed).length).toBe(1000);
  await answersPromptly();
  await eventually('their end', () => Promise.resolve(sockets.every(({ destroyed }) => destroyed)), 8000);
  await answersPromptly();
});

test('a body sent a byte at a time: others are served, it is broken off and nothing is stored', async () => {
  const before = await countStored(rig);
  const socket = await open();
  let received = '';
  socket.on('data', (data: Buffer) => (received += data.toString()));
  socket.write(
    'POST /api/generate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n',
  );
  const dripping = setInterval(() => socket.write(' '), 20);
  try {
    await answersPromptly();
    const start = Date.now();
    await eventually('its end', () => Promise.resolve(socket.destroyed), 8000);
    expect(Date.now() - start).toBeGreaterThan(1000);
  } finally {
    clearInterval(dripping);
  }
  expect(received).toMatch(/^HTTP\/1\.1 408/);
  expect(received).not.toMatch(/ at |node_modules/);
  // Only the prompt request's two parts.
  expect((await countStored(rig)).items - before.items).toBe(2);
});

test('a head sent a byte at a time is broken off too', async () => {
  const socket = await open();
  const start = Date.now();
  // A header, so that it is the time and not a mistake that ends it.
  socket.write('GET /api/health HTTP/1.1\r\nX-Slow: ');
  const dripping = setInterval(() => socket.write('a'), 20);
  try {
    await eventually('its end', () => Promise.resolve(socket.destroyed), 8000);
  } finally {
    clearInterval(dripping);
  }
  expect(Date.now() - start).toBeGreaterThan(1000);
});

test('the limits in force have an end', () => {
  // Zero would be none.
  const endless = Object.entries(CONNECTION_LIMITS).filter(([, limit]) => limit <= 0 || limit > 70_000);
  expect(endless).toEqual([]);
});

describe('the end of the server', () => {
  test('does not wait for connections that never sent anything, nor for those that rest', async () => {
    const own = await listen((_, res) => void res.end('here'), '127.0.0.1', 0);
    const silent = await open(own.port);
    const resting = await open(own.port);
    resting.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await once(resting, 'data');
    const start = Date.now();
    await own.close();
    expect(Date.now() - start).toBeLessThan(1000);
    await eventually('their end', () => Promise.resolve(silent.destroyed && resting.destroyed));
  });

  test('lets a request that is under way end, but not for ever', async () => {
    let answer: (() => void) | undefined;
    const own = await listen(
      (req, res) => {
        if (req.url === '/slow') answer = () => void res.end('whole');
      },
      '127.0.0.1',
      0,
      { ...CONNECTION_LIMITS, closeTimeout: 400 },
    );
    const slow = fetch(`http://127.0.0.1:${own.port}/slow`).then((response) => response.text());
    const never = fetch(`http://127.0.0.1:${own.port}/never`).catch(() => 'cut');
    await eventually('the request', () => Promise.resolve(answer !== undefined));
    const closed = own.close();
    answer!();
    expect(await slow).toBe('whole');
    await closed;
    expect(await never).toBe('cut');
  });
});
