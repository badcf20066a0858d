// One webhook on its way: what it connects to, what it makes of the answer, and how long it stays.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSend, type SendOptions } from '../../functions/webhooks/send.ts';
import { answers, type Receiver, startReceiver } from './receiver.ts';

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const sendWith = (options: Partial<SendOptions> = {}) =>
  createSend({
    resolve: () => Promise.resolve(['127.0.0.1']),
    allowPrivate: true,
    own: new Set(),
    ...options,
  });
const at = (port: number, path = '/hook?a=1') => `http://hook.example:${port}${path}`;
const post = (options: Partial<SendOptions> = {}, url = at(receiver.port)) =>
  sendWith(options)(url, { 'webhook-id': 'msg-1', 'content-type': 'application/json' }, '{"ä":1}');

test('it is a POST with its headers and its body, to the host by its name', async () => {
  expect(await post()).toEqual({ status: 200 });
  expect(receiver.got).toEqual([
    {
      path: '/hook?a=1',
      body: '{"ä":1}',
      headers: {
        'content-length': '8',
        'content-type': 'application/json',
        'webhook-id': 'msg-1',
        host: `hook.example:${receiver.port}`,
        connection: 'close',
      },
      at: expect.any(Number) as number,
    },
  ]);
});

describe('addresses', () => {
  test('that are not public are not connected to', async () => {
    const answer = await post({ allowPrivate: false });
    expect(answer).toEqual({ error: 'the address is not a public one' });
    expect(receiver.connections()).toBe(0);
  });

  test('that change between the lookup and the connection: what was judged is connected to, after one lookup', async () => {
    const elsewhere = await startReceiver();
    let polls = 0;
    // The first answer is good; a second lookup leads to another machine, 127.0.0.2 on the same port.
    const answer = await post({
      resolve: () => {
        polls += 1;
        return Promise.resolve([polls === 1 ? '127.0.0.1' : '127.0.0.2']);
      },
    });
    expect(answer).toEqual({ status: 200 });
    expect(polls).toBe(1);
    expect(receiver.connections()).toBe(1);
    expect(elsewhere.connections()).toBe(0);
    await elsewhere.close();
  });

  test('a name that the machine itself knows otherwise goes where it was judged to be', async () => {
    // A lookup of `localhost` would give 127.0.0.1; there is none.
    const other = createServer((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'));
    await listen(other, receiver.port, '127.0.0.2');
    const url = `http://localhost:${receiver.port}/`;
    expect(await post({ resolve: () => Promise.resolve(['127.0.0.2']) }, url)).toEqual({ status: 204 });
    expect(receiver.connections()).toBe(0);
    other.close();
  });

  test('are judged anew each time', async () => {
    let polls = 0;
    const send = sendWith({
      resolve: () => {
        polls += 1;
        return Promise.resolve(polls === 1 ? ['127.0.0.1'] : []);
      },
    });
    expect(await send(at(receiver.port), {}, 'x')).toEqual({ status: 200 });
    expect(await send(at(receiver.port), {}, 'x')).toEqual({ error: 'the name has no address' });
    expect(receiver.connections()).toBe(1);
  });

  test('where one does not answer, the next is tried', async () => {
    // Nothing listens at the first.
    const answer = await post({ resolve: () => Promise.resolve(['127.0.0.3', '127.0.0.1']) });
    expect(answer).toEqual({ status: 200 });
  });

  test('where nothing listens the reason is a code of Node’s, and no address', async () => {
    const { port } = receiver;
    await receiver.close();
    expect(await post({}, at(port))).toEqual({ error: 'it cannot be reached: ECONNREFUSED' });
    receiver = await startReceiver();
  });

  test('of a name that is not found', async () => {
    const resolve = () =>
      Promise.reject(Object.assign(new Error('queryA ENOTFOUND x'), { code: 'ENOTFOUND' }));
    expect(await post({ resolve })).toEqual({ error: 'it cannot be reached: ENOTFOUND' });
  });
});

describe('the answer', () => {
  test.each([200, 201, 202, 204, 299])('%i is delivered', async (status) => {
    receiver.answer(answers(status));
    expect(await post()).toEqual({ status });
  });

  test.each([300, 301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const target = await startReceiver();
    receiver.answer(answers(status, { location: target.url }));
    expect(await post()).toEqual({
      status,
      error: `it answered ${status}; redirects are not followed`,
    });
    expect(target.connections()).toBe(0);
    await target.close();
  });

  test.each([400, 401, 404, 409, 429, 500, 503])('%i is not delivered', async (status) => {
    receiver.answer(answers(status));
    expect(await post()).toEqual({ status, error: `it answered ${status}` });
  });

  test('410 wants no further tries', async () => {
    receiver.answer(answers(410));
    expect(await post()).toMatchObject({ status: 410, final: true });
  });

  test('101 is no way to another protocol', async () => {
    const server = createServer((socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    );
    const port = await listen(server);
    expect(await post({}, at(port))).toEqual({ status: 101, error: 'it answered 101' });
    server.close();
  });

  test('that is no HTTP is not delivered', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    const port = await listen(server);
    expect(await post({}, at(port))).toEqual({ error: 'it cannot be reached: HPE_INVALID_CONSTANT' });
    server.close();
  });

  test('is read to 64 KB: its status counts, the rest of an endless one does not', async () => {
    let sent = 0;
    receiver.answer((_got, res) => {
      res.writeHead(200);
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(16_384))) sent += 16_384;
        if (!res.destroyed) res.once('drain', more);
      };
      more();
    });
    const asked = performance.now();
    expect(await post({ limit: 4000 })).toEqual({ status: 200 });
    expect(performance.now() - asked).toBeLessThan(3000);
    // What lies in the buffers of two sockets beside it.
    expect(sent).toBeLessThan(20 * 2 ** 20);
  });

  test('is waited for to its end, so that no receiver is cut off while it works', async () => {
    let whole = false;
    receiver.answer((_got, res) => {
      res.writeHead(202);
      res.write('working');
      setTimeout(() => res.end('done', () => (whole = true)), 100);
    });
    expect(await post()).toEqual({ status: 202 });
    expect(whole).toBe(true);
  });
});

describe('a slow receiver is cut', () => {
  const LIMIT = 300;
  const late = { error: 'there was no answer within 0.3 seconds' };

  async function timed(work: Promise<unknown>): Promise<[unknown, number]> {
    const asked = performance.now();
    return [await work, performance.now() - asked];
  }

  test('who never answers; and the connection is closed', async () => {
    let closed: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    receiver.answer((_got, res) => void res.once('close', closed));
    const [answer, took] = await timed(post({ limit: LIMIT }));
    expect(answer).toEqual(late);
    expect(took).toBeLessThan(LIMIT + 1000);
    await gone;
  });

  test('who sends a byte of its headers at a time', async () => {
    const server = createServer((socket) => drip(socket, 'HTTP/1.1 200 OK\r\nX: '.padEnd(500, 'x')));
    const port = await listen(server);
    const [answer, took] = await timed(post({ limit: LIMIT }, at(port)));
    expect(answer).toEqual(late);
    expect(took).toBeLessThan(LIMIT + 1000);
    server.close();
  });

  test('who says that it goes on, for ever', async () => {
    const server = createServer((socket) => drip(socket, 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50), 27));
    const port = await listen(server);
    expect((await timed(post({ limit: LIMIT }, at(port))))[0]).toEqual(late);
    server.close();
  });

  test('who took it and does not end its answer: it was delivered', async () => {
    receiver.answer((_got, res) => void res.writeHead(200).write('and'));
    const [answer, took] = await timed(post({ limit: LIMIT }));
    expect(answer).toEqual({ status: 200 });
    expect(took).toBeLessThan(LIMIT + 1000);
  });

  test('a name server that is silent', async () => {
    const [answer, took] = await timed(post({ limit: LIMIT, resolve: () => new Promise(() => undefined) }));
    expect(answer).toEqual(late);
    expect(took).toBeLessThan(LIMIT + 1000);
  });

  test('the limit is five seconds in all', async () => {
    receiver.answer(() => undefined);
    const [answer, took] = await timed(post());
    expect(answer).toEqual({ error: 'there was no answer within 5 seconds' });
    expect(took).toBeGreaterThan(4900);
    expect(took).toBeLessThan(6500);
  });
});

describe('https', () => {
  let folder: string;
  let tls: { key: string; cert: string };
  let secure: Receiver;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'webhook-tls-'));
    const file = (name: string) => join(folder, name);
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat(
        ['-subj', '/CN=hook.example', '-addext', 'subjectAltName=DNS:hook.example'],
        ['-keyout', file('key.pem'), '-out', file('cert.pem')],
      ),
      { stdio: 'pipe' },
    );
    tls = { key: readFileSync(file('key.pem'), 'utf8'), cert: readFileSync(file('cert.pem'), 'utf8') };
    secure = await startReceiver(tls);
  });
  afterEach(async () => {
    await secure.close();
    rmSync(folder, { recursive: true });
  });

  test('names the host in the handshake, and its certificate must be of that name', async () => {
    let asked: unknown;
    secure.answer((_got, res) => {
      asked = (res.socket as TLSSocket & { servername?: string }).servername;
      res.end();
    });
    const url = (host: string) => `https://${host}:${secure.port}/`;
    expect(await post({ ca: tls.cert }, url('hook.example'))).toEqual({ status: 200 });
    expect(asked).toBe('hook.example');
    expect(secure.got[0]!.headers.host).toBe(`hook.example:${secure.port}`);
    expect(await post({ ca: tls.cert }, url('other.example'))).toEqual({
      error: 'it cannot be reached: ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(await post({}, url('hook.example'))).toEqual({
      error: 'it cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    expect(secure.got).toHaveLength(1);
  });
});

async function listen(server: Server, port = 0, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Some bytes every 20 ms. */
function drip(socket: Socket, text: string, bytes = 1): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(text.slice(at, at + bytes));
    at += bytes;
  }, 20);
  socket.on('error', () => undefined);
  socket.once('close', () => clearInterval(timer));
}
