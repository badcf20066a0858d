// Who reads images: as many at once as there are places for, over connections of their own; who takes nothing is cut.

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createReaders } from '../../functions/api/http/readers.ts';
import { keys } from '../../functions/core/names.ts';
import { CONNECTION_LIMITS, listen } from '../../functions/runtime/listen.ts';
import { signal } from '../../functions/runtime/deferred.ts';
import { type Rig, type RigOptions, startRig } from '../support/rig.ts';
import { eventually, putJob } from './support.ts';

const MB = 1024 * 1024;

let rig: Rig;
let big: string;
const opened: Socket[] = [];

async function start(options: RigOptions = {}): Promise<void> {
  rig = await startRig(options);
  big = await imageOf(16 * MB);
}
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await rig?.close();
  rig = undefined!;
});

/** The path of an image with so many bytes. */
async function imageOf(sizeBytes: number, owner = 'local'): Promise<string> {
  const jobId = await putJob(rig, { status: 'completed', images: 1, owner });
  const state = await rig.store.jobs.readState(jobId);
  const { filename } = state!.outputs![0]!;
  await rig.images.put(keys.image(jobId, state!.attempt, filename), Buffer.alloc(sizeBytes, 7), {
    contentType: 'image/png',
  });
  return `/api/image/${filename}`;
}

/** Asks and reads nothing. Resolves when the answer has begun. */
async function stall(path: string): Promise<Socket> {
  const { port, hostname, host } = new URL(rig.url);
  const socket = connect(Number(port), hostname);
  opened.push(socket);
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await once(socket, 'readable');
  return socket;
}

/** The path of a presigned link to it. */
async function linkTo(path: string): Promise<string> {
  const answer = await fetch(`${rig.url}${path}?redirect=1`, { redirect: 'manual' });
  return answer.headers.get('location')!.replace(rig.url, '');
}

/** What their connections take on without being read has gone out. */
async function quiet(): Promise<void> {
  for (let before = performance.eventLoopUtilization(); ;) {
    await sleep(300);
    const now = performance.eventLoopUtilization();
    if (performance.eventLoopUtilization(now, before).utilization < 0.3) return;
    before = now;
  }
}

test('140 who read nothing stop neither another’s image nor a job', { timeout: 60_000 }, async () => {
  await start();
  await rig.addHost();
  const small = await imageOf(1000);
  const stalled = Array.from({ length: 140 }, () => stall(big));
  // Some may never be answered: a pool of connections was as large as this.
  let begun = 0;
  await new Promise<void>((resolve) => {
    for (const one of stalled) void one.then(() => (begun += 1) === 128 && resolve());
  });
  await quiet();
  const answer = await fetch(rig.url + small, { signal: AbortSignal.timeout(2000) });
  expect((await answer.arrayBuffer()).byteLength).toBe(1000);
  const since = performance.now();
  await rig.until(await rig.generate(), ['completed']);
  expect(performance.now() - since).toBeLessThan(2000);
});

test('nor do those who came by link', { timeout: 60_000 }, async () => {
  await start();
  await rig.addHost();
  const link = await linkTo(big);
  await Promise.all(Array.from({ length: 140 }, () => stall(link)));
  await quiet();
  const small = await imageOf(1000);
  for (const path of [small, await linkTo(small)]) {
    const answer = await fetch(rig.url + path, { signal: AbortSignal.timeout(2000) });
    expect((await answer.arrayBuffer()).byteLength).toBe(1000);
  }
  await rig.until(await rig.generate(), ['completed'], 2000);
});

describe('more than there are places for', () => {
  test('are refused in a sentence, and may come again', async () => {
    await start({ settings: { imageReaders: 4 } });
    const three = await Promise.all([stall(big), stall(big), stall(await linkTo(big))]);
    await stall(big);
    for (const path of [big, await linkTo(big)]) {
      const refused = await fetch(rig.url + path);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await refused.json()).toMatchObject({
        code: 'too_many_readers',
        error: expect.stringContaining('Too many images') as string,
      });
    }
    for (const socket of three) socket.destroy();
    await eventually('a place', async () => {
      const answer = await fetch(rig.url + big);
      return (await answer.arrayBuffer()).byteLength === 16 * MB;
    });
  });

  test('take the place of one who has taken nothing for a while', { timeout: 20_000 }, async () => {
    await start({ settings: { imageReaders: 4 } });
    const stalled = await Promise.all([stall(big), stall(big), stall(big)]);
    const since = performance.now();
    const asks = async () => {
      const answer = await fetch(rig.url + big);
      await answer.body?.cancel();
      return answer.status === 200;
    };
    await eventually('a place', asks, 15_000);
    expect(performance.now() - since).toBeGreaterThan(4000);
    await eventually('an end', () => {
      // Who does not read does not see it.
      for (const socket of stalled) if (!socket.destroyed) socket.write('x');
      return Promise.resolve(stalled.some((socket) => socket.destroyed));
    });
  });

  test('are sent to S3 itself where there is one', async () => {
    await start({ settings: { imageReaders: 1, links: 'bucket' } });
    await stall(big);
    const answer = await fetch(rig.url + big, { redirect: 'manual' });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toMatch(/amazonaws\.com.*X-Amz-Signature/);
  });

  test('have their places back when they have read, gone, or had nothing to read', async () => {
    await start({ settings: { imageReaders: 1 } });
    const whole = () => fetch(rig.url + big);
    const first = await whole();
    await first.arrayBuffer();
    expect((await fetch(rig.url + big, { method: 'HEAD' })).status).toBe(200);
    const etag = first.headers.get('etag')!;
    expect((await fetch(rig.url + big, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(rig.url + big, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
    const gone = new AbortController();
    await fetch(rig.url + big, { signal: gone.signal });
    gone.abort();
    await eventually('its place', async () => {
      const answer = await whole();
      await answer.body?.cancel();
      return answer.status === 200;
    });
  });
});

describe('the budget', () => {
  const nobody = () => undefined;

  test('leaves a quarter to other owners', () => {
    const readers = createReaders(8);
    for (let nth = 0; nth < 6; nth += 1) expect(readers.take('alice', nobody)).toBeDefined();
    expect(readers.take('alice', nobody)).toBeUndefined();
    expect(readers.take('bob', nobody)).toBeDefined();
    expect(readers.take('carol', nobody)).toBeDefined();
    expect(readers.take('carol', nobody)).toBeUndefined();
  });

  test('takes from whoever has moved least lately, and from nobody who moves', () => {
    let now = 0;
    const cut: string[] = [];
    const readers = createReaders(4, () => now);
    const [first, second, third] = ['first', 'second', 'third'].map((name) =>
      readers.take('alice', () => cut.push(name)),
    );
    now = 4000;
    for (const reader of [first, second, third]) reader!.moved();
    now = 8000;
    expect(readers.take('alice', nobody)).toBeUndefined();
    second!.moved();
    third!.moved();
    now = 9000;
    expect(readers.take('alice', nobody)).toBeDefined();
    expect(cut).toEqual(['first']);
    // What moves after its end has no place.
    first!.moved();
    first!.free();
    expect(readers.take('alice', nobody)).toBeUndefined();
  });
});

describe('who takes nothing of an answer', () => {
  const limits = { ...CONNECTION_LIMITS, connectionsCheckingInterval: 100, writeTimeout: 500 };
  const served = async (handler: RequestListener) => {
    const server = await listen(handler, '127.0.0.1', 0, limits);
    const socket = connect(server.port, '127.0.0.1');
    opened.push(socket);
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return { server, socket };
  };

  test('is cut', async () => {
    const over = signal<number>();
    const { server, socket } = await served((_, res) => {
      const since = performance.now();
      res.once('close', () => over.resolve(performance.now() - since));
      res.end(Buffer.alloc(32 * MB));
    });
    await once(socket, 'readable');
    const lasted = await over.promise;
    expect(lasted).toBeGreaterThan(400);
    expect(lasted).toBeLessThan(5000);
    await server.close();
  });

  test('who takes it slowly and steadily gets all', { timeout: 30_000 }, async () => {
    const size = 24 * MB;
    const { server, socket } = await served((_, res) => {
      res.writeHead(200, { 'content-length': size });
      let left = size / (64 * 1024);
      const more = () => {
        while (left > 0) {
          left -= 1;
          if (res.write(Buffer.alloc(64 * 1024))) continue;
          res.once('drain', more);
          return;
        }
        res.end();
      };
      more();
    });
    let got = 0;
    const since = performance.now();
    for await (const piece of socket as AsyncIterable<Buffer>) {
      got += piece.length;
      // Five megabytes a second.
      const early = got / ((5 * MB) / 1000) - (performance.now() - since);
      if (early > 0) await sleep(early);
      if (got >= size) break;
    }
    expect(performance.now() - since).toBeGreaterThan(4000);
    expect(got).toBeGreaterThan(size);
    await server.close();
  });

  test('who waits for what is not there yet is not cut', async () => {
    const { server, socket } = await served((_, res) => {
      res.write('one');
      setTimeout(() => res.end('two'), 1500);
    });
    let text = '';
    socket.on('data', (piece: Buffer) => (text += piece.toString()));
    await eventually('the rest', () => Promise.resolve(text.includes('two')));
    await server.close();
  });
});
