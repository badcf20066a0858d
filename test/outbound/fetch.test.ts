// A file from an address that a caller named: only from judged addresses, redirects too, within a size and a time.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFetch, type FetchOptions } from '../../functions/outbound/fetch.ts';
import { listen } from '../images/support.ts';

const bytes = randomBytes(300_000);
let folder: string;
let servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-'));
});
afterEach(async () => {
  for (const server of servers) server.close().closeAllConnections();
  servers = [];
  await rm(folder, { recursive: true, force: true });
});

async function serve(listener: RequestListener): Promise<string> {
  const { url, server } = await listen(listener);
  servers.push(server);
  return url;
}
const path = () => join(folder, 'file');
const get = (address: string, rules: Partial<FetchOptions> = {}, ms = 5000, maxBytes = 1_000_000) =>
  createFetch({ allowPrivate: true, resolve: async () => ['127.0.0.1'], own: new Set(), ...rules })(
    address,
    path(),
    { maxBytes, headBytes: 10, signal: AbortSignal.timeout(ms) },
  );
const refused = { name: 'NotFetched' };

test('what is there, behind redirects', async () => {
  const url = await serve((req, res) => {
    if (req.url === '/a') res.writeHead(302, { location: '/b' }).end();
    else if (req.url === '/b') res.writeHead(307, { location: 'film.mp4?x=1' }).end();
    else res.writeHead(200).end(bytes);
  });
  expect(await get(`${url}/a`)).toEqual({
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    head: bytes.subarray(0, 10),
    name: 'film.mp4',
  });
  expect(await readFile(path())).toEqual(bytes);
});

describe('refused', () => {
  test('what is no https address, or brings a password', async () => {
    for (const address of [
      'http://a.example/x',
      'ftp://a.example/x',
      'file:///etc/passwd',
      'https://u:p@a.example/',
    ])
      await expect(get(address, { allowPrivate: false })).rejects.toMatchObject(refused);
  });

  test('addresses of this network, whatever name they have', async () => {
    for (const address of [
      'https://127.0.0.1/x',
      'https://[::1]/x',
      'https://169.254.169.254/latest',
      'https://a.example/x',
    ])
      await expect(
        get(address, { allowPrivate: false, resolve: async () => ['93.184.216.34', '10.0.0.1'] }),
      ).rejects.toMatchObject(refused);
  });

  test('a redirect to where a first request may not go', async () => {
    let asked = 0;
    const url = await serve((_, res) => {
      asked += 1;
      res.writeHead(302, { location: 'http://inner.example/secret' }).end();
    });
    await expect(get(url, { own: new Set(['inner.example']) })).rejects.toMatchObject(refused);
    const elsewhere = await serve((_, res) => res.writeHead(302, { location: 'file:///etc/passwd' }).end());
    await expect(get(elsewhere)).rejects.toMatchObject(refused);
    expect(asked).toBe(1);
  });

  test('a name that leads elsewhere by the time of the connection leads to what was judged', async () => {
    const url = await serve((_, res) => res.writeHead(200).end('judged'));
    let lookups = 0;
    const resolve = async () => {
      lookups += 1;
      return [lookups === 1 ? '127.0.0.1' : '10.0.0.1'];
    };
    expect(await get(url.replace('127.0.0.1', 'rebinding.example'), { resolve })).toMatchObject({
      sizeBytes: 6,
    });
    expect(lookups).toBe(1);
  });

  test.each<[string, RequestListener]>([
    ['404', (_, res) => res.writeHead(404).end()],
    ['redirects without end', (_, res) => res.writeHead(302, { location: '/' }).end()],
    [
      'more than is said to be too much',
      (_, res) => res.writeHead(200, { 'content-length': 2_000_000 }).end('x'),
    ],
    ['more than too much, unsaid', (_, res) => res.writeHead(200).end(Buffer.alloc(2_000_000))],
    ['nothing', (_, res) => res.writeHead(200).end()],
    ['compressed bytes', (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('x')],
    [
      'a connection that is cut',
      (_, res) => {
        res.writeHead(200, { 'content-length': 1000 });
        res.write('x', () => res.destroy());
      },
    ],
  ])('%s', async (_, listener) => {
    await expect(get(await serve(listener))).rejects.toMatchObject(refused);
  });

  test('a server that says nothing, and one that says a byte a second', async () => {
    const silent = await serve(() => undefined);
    await expect(get(silent, {}, 300)).rejects.toMatchObject({ ...refused, message: 'did not come in time' });
    const slow = await serve((_, res) => {
      res.writeHead(200);
      const timer = setInterval(() => res.write('x'), 50);
      res.once('close', () => clearInterval(timer));
    });
    await expect(get(slow, {}, 500)).rejects.toMatchObject({ ...refused, message: 'did not come in time' });
  });
});
