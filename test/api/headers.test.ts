// What every answer says to browsers; and bodies and headers that are meant to do harm.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { createOriginCheck } from '../../functions/api/http/cloudfront-secret-check.ts';
import { requestOf } from '../../functions/api/http/function-url.ts';
import { imageName, keys as bucketKeys } from '../../functions/core/names.ts';
import { CONNECTION_LIMITS, listen, type Listening, listenerOf } from '../../functions/runtime/listen.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, countStored, eventually, type Json, putJob } from './support.ts';

let rig: Rig;
/** Of a server that lets nobody take long. */
let hasty: Listening;
const lines: string[] = [];
beforeAll(async () => {
  rig = await startRig({ forward: false, settings, onLog: (line) => lines.push(line) });
  hasty = await listen(listenerOf(rig.app), '127.0.0.1', 0, {
    ...CONNECTION_LIMITS,
    headersTimeout: 2000,
    requestTimeout: 2500,
    connectionsCheckingInterval: 100,
    keepAliveTimeout: 1000,
    closeTimeout: 500,
  });
});
afterAll(async () => {
  await hasty.close();
  await rig.close();
});

const settings = {
  links: 'request' as const,
  allowedOrigins: ['*'],
  allowedHosts: ['x'],
  fixedComfyUI: true,
  maxWaiting: 10_000,
};
const portOf = ({ url }: Rig) => Number(new URL(url).port);

interface Raw {
  socket: Socket;
  received(): string;
}

async function open(port: number): Promise<Raw> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  let received = '';
  socket.on('data', (data: Buffer) => (received += data.toString('latin1')));
  await once(socket, 'connect');
  return { socket, received: () => received };
}

/** The whole of what a server says to these bytes, until it closes or has answered. */
async function tell(bytes: string | Buffer, port = portOf(rig)): Promise<string> {
  const { socket, received } = await open(port);
  socket.write(bytes);
  await eventually('an answer', () => Promise.resolve(socket.destroyed || received().includes('\r\n\r\n')));
  socket.destroy();
  return received();
}

describe('every answer', () => {
  const SAFE = {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'strict-transport-security': null,
    server: null,
    'x-powered-by': null,
  };
  const saysOf = (headers: Headers) =>
    Object.fromEntries(Object.keys(SAFE).map((name) => [name, headers.get(name)]));

  test.each(['GET /api/v2/jobs', 'GET /api/v2/jobs/none', 'POST /api/v2/assets'])(
    'of the Comfy API v2 too: %s, and pages of other origins read it',
    async (route) => {
      const { headers } = await call(rig.app, route, { headers: { 'x-request-id': 'asked-by-a-page' } });
      expect(saysOf(headers)).toEqual(SAFE);
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('x-request-id')).toBe('asked-by-a-page');
    },
  );

  test('keeps browsers from sniffing, loading, framing and telling; and says nothing of what serves it', async () => {
    const jobId = await putJob(rig, { status: 'completed', images: 1 });
    const image = imageName('Flux2_Turbo', jobId, 1, 'png');
    await rig.images.put(bucketKeys.image(jobId, 1, image), Buffer.from('x'), { contentType: 'image/png' });
    for (const [route, status] of [
      [`GET /api/status/${jobId}`, 200],
      [`GET /api/status/${jobId}/events`, 200],
      [`GET /api/image/${image}`, 200],
      [`GET /api/image/${image}?redirect=1`, 302],
      ['GET /api/queue', 200],
      ['GET /api/status/x', 404],
      ['GET /nothing', 404],
      ['PUT /api/generate', 405],
      ['POST /api/generate', 415],
      ['OPTIONS /api/generate', 204],
      ['HEAD /api/queue', 200],
    ] as const) {
      const [method, path] = route.split(' ') as [string, string];
      const answer = await fetch(`${rig.url}${path}`, { method, redirect: 'manual' });
      await answer.body?.cancel();
      expect([route, answer.status, saysOf(answer.headers)]).toEqual([route, status, SAFE]);
      const kept = answer.headers.get('cache-control') !== 'no-store';
      expect([route, kept]).toEqual([route, status < 400 && !route.endsWith('/events')]);
    }
  });

  test('is as safe when it is a refusal: no key, a table that does not answer, a mistake of ours', async () => {
    const broken = anotherProcess(rig, {
      jobs: { ...rig.store.jobs, read: () => Promise.reject(new Error('a mistake')) },
    });
    const throttled = anotherProcess(rig, {
      jobs: {
        ...rig.store.jobs,
        read: () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })),
      },
    });
    const closed = anotherProcess(rig, { admit: askForKeys({ keys: rig.store.keys, now: rig.store.now }) });
    const path = 'GET /api/status/550e8400-e29b-41d4-a716-446655440000';
    for (const [app, status] of [
      [broken, 500],
      [throttled, 503],
      [closed, 401],
    ] as const) {
      const answer = await call(app, path);
      expect([answer.status, saysOf(answer.headers)]).toEqual([status, SAFE]);
      expect([status, answer.headers.get('cache-control')]).toEqual([status, 'no-store']);
    }
    const entry = createOriginCheck(rig.app, ['origin-secret-of-at-least-32-characters']);
    const refused = await entry({ request: new Request('https://x/api/queue'), readable: true });
    expect([refused.status, saysOf(refused.headers)]).toEqual([403, SAFE]);
    expect(refused.headers.get('cache-control')).toBe('no-store');
  });

  test('where every request comes by HTTPS, asks for it for a year', async () => {
    const app = anotherProcess(rig, { settings: { ...settings, hsts: true } });
    for (const route of ['GET /api/queue', 'GET /nowhere'])
      expect((await call(app, route)).headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  test('tells pages of other origins what they may send and read', async () => {
    const asked = 'authorization,x-api-key,idempotency-key,last-event-id,content-type';
    const preflight = await rig.app.request('/api/generate', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked,
      },
    });
    expect(preflight.status).toBe(204);
    const allowed = preflight.headers.get('access-control-allow-headers')!.toLowerCase().split(',');
    expect(allowed).toEqual(expect.arrayContaining(asked.split(',')));
    expect(allowed).not.toContain('x-origin-secret');
    const answer = await call(rig.app, 'GET /api/queue', { headers: { origin: 'https://app.example.com' } });
    expect(answer.headers.get('access-control-expose-headers')?.split(',')).toEqual(
      expect.arrayContaining(['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'ETag']),
    );
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false);
  });
});

describe('a request id', () => {
  const idFor = async (given: string) =>
    (await call(rig.app, 'GET /nowhere', { headers: { 'x-request-id': given } })).headers.get('x-request-id');

  test.each(['trace-1', 'A_b=', '0', 'x'.repeat(64)])('%j comes back, and is in the log', async (id) => {
    expect(await idFor(id)).toBe(id);
    expect(lines.some((line) => (JSON.parse(line) as Json)['requestId'] === id)).toBe(true);
  });

  test.each(['x'.repeat(65), 'a b', 'a%0d%0aX-Evil: 1', '<b>', '{"a":1}', 'ä', '../x', 'a,b'])(
    '%j is replaced by one of ours',
    async (id) => {
      expect(await idFor(id)).toMatch(/^[0-9a-f-]{36}$/);
      expect(lines.some((line) => (JSON.parse(line) as Json)['requestId'] === id)).toBe(false);
    },
  );
});

describe('a line break in a header', () => {
  const REQUESTS: [string, string][] = [
    ['CR LF in a request id', 'GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n X-Evil: 1\r\n\r\n'],
    ['LF in a request id', 'GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\nX-Evil: 1\r\n\r\n'],
    ['CR in a request id', 'GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\rX-Evil: 1\r\n\r\n'],
    ['NUL in a request id', 'GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\0b\r\n\r\n'],
    ['in an origin', 'GET /nowhere HTTP/1.1\r\nHost: x\r\nOrigin: https://a\r\n X-Evil: 1\r\n\r\n'],
    ['encoded, in a file name', 'GET /api/image/x.png%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['encoded, in a job id', 'GET /api/status/x%0d%0aX-Evil:%201/events HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['encoded, in a query', 'GET /api/queue?cursor=%0d%0aX-Evil:%201 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['encoded, in an event id', 'GET /api/status/x?since=%0d%0aX-Evil: HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'encoded, in an idempotency key',
      'POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Idempotency-Key: a%0d%0aX-Evil:1\r\nContent-Length: 2\r\n\r\n{}',
    ],
    [
      'in an idempotency key',
      'POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
        'Idempotency-Key: a\r\n X-Evil: 1\r\nContent-Length: 2\r\n\r\n{}',
    ],
  ];

  test.each(REQUESTS)('%s makes no header of the answer', async (_, bytes) => {
    const before = await countStored(rig);
    const [head] = (await tell(bytes)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(head!.toLowerCase()).not.toContain('x-evil');
    expect(await countStored(rig)).toEqual(before);
  });

  test('of a Function URL is none either', async () => {
    const secret = 'origin-secret-of-at-least-32-characters';
    const entry = createOriginCheck(rig.app, [secret]);
    const answer = await entry(
      requestOf(
        {
          version: '2.0',
          rawPath: '/nowhere',
          headers: { 'x-origin-secret': secret, 'x-request-id': 'a\r\nx-evil: 1' },
          requestContext: { http: { method: 'GET' } },
        },
        () => '',
      ),
    );
    expect(answer.status).toBe(404);
    expect(answer.headers.has('x-evil')).toBe(false);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('nor is one in the name of an uploaded file', async () => {
    const body =
      '--b\r\nContent-Disposition: form-data; name="image"; filename="a%0d%0aX-Evil: 1.png"\r\n' +
      'Content-Type: image/png\r\n\r\nno image\r\n--b--\r\n';
    const head = await tell(
      `POST /api/upload/image HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head.toLowerCase()).not.toContain('x-evil');
  });
});

/** Addresses that take a body, and such as do not exist. */
const BODIES = [
  'POST /api/generate',
  'POST /api/upload/image',
  'POST /api/queue/clear',
  'DELETE /api/queue/550e8400-e29b-41d4-a716-446655440000',
  'POST /api/nowhere',
  'PUT /nothing',
];

describe('a compressed body', () => {
  /** A hundred million spaces in a hundred thousand bytes. */
  const bomb = gzipSync(`{"prompt": "a${' '.repeat(100_000_000)}"}`);

  test.each(BODIES)('is refused, never inflated: %s', async (route) => {
    const before = process.memoryUsage().rss;
    for (const coding of ['gzip', 'GZIP', 'br', 'deflate', 'gzip, identity', 'nonsense']) {
      const answer = await call(rig.app, route, {
        body: bomb,
        headers: { 'content-type': 'application/json', 'content-encoding': coding },
      });
      expect([coding, answer.status, answer.headers.get('accept-encoding')]).toEqual([
        coding,
        415,
        'identity',
      ]);
      expect(answer.json).toMatchObject({
        error: expect.stringContaining('Content-Encoding') as string,
        code: 'unsupported_media_type',
      });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(90_000_000);
  });

  test('that says it is none is taken', async () => {
    const answer = await call(rig.app, 'POST /api/generate', {
      json: { prompt: 'a red fox' },
      headers: { 'content-encoding': 'identity' },
    });
    expect(answer.status).toBe(202);
  });

  test('by its transfer is not inflated either', async () => {
    const body = gzipSync('{"prompt": "a red fox"}');
    const head = `POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip, chunked\r\n\r\n`;
    const answer = await tell(
      Buffer.concat([
        Buffer.from(`${head}${body.length.toString(16)}\r\n`),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('a body that is too large', () => {
  const sized = (route: string) => (route.includes('upload') ? 4 * 1024 * 1024 + 16 * 1024 : 256 * 1024);

  test.each([...BODIES, 'GET /api/queue'])('is refused by its length alone: %s', async (route) => {
    const [method, path] = route.split(' ') as [string, string];
    const answer = await tell(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${sized(route) + 1}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"body_too_large"');
  });

  test.each(BODIES)('in chunks is cut when it is: %s', async (route) => {
    const [method, path] = route.split(' ') as [string, string];
    const { socket, received } = await open(portOf(rig));
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    // It never ends by itself.
    let sent = 0;
    const pour = () => {
      let room = true;
      while (room && !socket.destroyed && sent < 1_000_000_000) {
        sent += chunk.length;
        room = socket.write(chunk);
      }
      if (!room) socket.once('drain', pour);
    };
    pour();
    await eventually('its end', () => Promise.resolve(socket.destroyed));
    expect(received()).toMatch(/^HTTP\/1\.1 413 /);
    expect(received()).toContain('"code":"body_too_large"');
  });
});

describe('a body that comes slowly', () => {
  test.concurrent.each(BODIES.flatMap((route) => [`${route} with its length`, `${route} in chunks`]))(
    'is cut: %s',
    async (named) => {
      const [method, path] = named.split(' ') as [string, string];
      const chunks = named.endsWith('chunks');
      const before = await countStored(rig);
      const { socket, received } = await open(hasty.port);
      socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${path.includes('upload') ? 'multipart/form-data; boundary=b' : 'application/json'}\r\n` +
          `${chunks ? 'Transfer-Encoding: chunked' : 'Content-Length: 200'}\r\n\r\n`,
      );
      const dripping = setInterval(() => socket.write(chunks ? '1\r\n \r\n' : ' '), 50);
      try {
        await eventually('its end', () => Promise.resolve(socket.destroyed), 8000);
      } finally {
        clearInterval(dripping);
      }
      // Where nothing reads the body the answer is there at once, and the rest is not waited for.
      expect(received()).toMatch(/^HTTP\/1\.1 (408|404|200) /);
      expect(received()).not.toMatch(/\n {4}at |node_modules/);
      expect(await countStored(rig)).toEqual(before);
    },
  );
});

test('a body that breaks off is nobody’s mistake: nothing is stored, and no alarm is written', async () => {
  const before = await countStored(rig);
  const from = lines.length;
  for (const path of ['/api/generate', '/api/upload/image']) {
    const { socket } = await open(portOf(rig));
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${path.includes('upload') ? 'multipart/form-data; boundary=b' : 'application/json'}\r\nX-Request-Id: broken\r\nContent-Length: 200\r\n\r\n{"prom`,
    );
    socket.destroySoon();
  }
  const told = () => lines.slice(from).map((line) => JSON.parse(line) as Json);
  await eventually('both ends', () =>
    Promise.resolve(
      told().filter(({ event, requestId }) => event === 'request.answered' && requestId === 'broken')
        .length === 2,
    ),
  );
  expect(told().filter(({ event }) => event === 'request.aborted')).toHaveLength(2);
  expect(told().filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  expect(await countStored(rig)).toEqual(before);
});
