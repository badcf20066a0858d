// The guard of this tier bites.

import { exec, execFile, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';

test.each<[string, string, () => unknown]>([
  ['spawn', 'starts a process', () => spawn('true')],
  ['exec', 'starts a process', () => exec('true')],
  ['execFile', 'starts a process', () => execFile('true')],
  ['fork', 'starts a process', () => fork('none.ts')],
  ['spawnSync', 'starts a process', () => spawnSync('true')],
  ['execSync', 'starts a process', () => execSync('true')],
  ['execFileSync', 'starts a process', () => execFileSync('true')],
  ['a server', 'opens a port', () => createServer().listen(0)],
  ['a web server', 'opens a port', () => createHttpServer().listen(0)],
  ['a datagram', 'opens a port', () => createSocket('udp4').bind(0)],
  ['a request', 'calls somebody', () => request('http://127.0.0.1:9').end()],
])('%s is refused: a unit test %s', (_name, what, attempt) => {
  expect(attempt).toThrow(`A unit test ${what}. Call the file *.test.ts`);
});

test('fetch is refused', async () => {
  await expect(fetch('http://127.0.0.1:49152')).rejects.toMatchObject({
    cause: { message: expect.stringContaining('A unit test calls somebody') },
  });
});
