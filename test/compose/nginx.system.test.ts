// What nginx does by itself, with servers behind it that a test drives by hand: streams, silence, headers, and the
// lines for TLS and a password that wait in its file.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { signal } from '../../functions/runtime/deferred.ts';
import { type Nginx, type NginxOptions, missing, startNginx } from './nginx.ts';
import { answerTo, ask, goneAddress, open, startUpstream, type Upstream } from './upstream.ts';

const absent = missing(['nginx', '-v'], ['envsubst', '--version']);
const noOpenssl = missing(['openssl', 'version']);

describe.skipIf(absent)(`nginx ${absent ?? ''}`, () => {
  /** What the server behind it does with the next request. */
  let behind: (req: IncomingMessage, res: ServerResponse) => void;
  let upstream: Upstream;
  let nginx: Nginx;
  beforeAll(async () => {
    upstream = await startUpstream((req, res) => behind(req, res));
    nginx = await startNginx({ api: upstream.address, comfyui: upstream.address });
  });
  beforeEach(() => {
    behind = (_, res) => res.end();
  });
  afterAll(async () => {
    await nginx?.close();
    await upstream?.close();
  });

  test.each([
    ['events of the API', '/api/events', 'text/event-stream', undefined],
    ['image bytes of the API', '/api/image/x.png', 'image/png', 10],
    ['image bytes of ComfyUI', '/comfyui/api/view?filename=x.png', 'image/png', 10],
  ])('%s arrive as they are sent', async (_, path, type, length) => {
    const firstArrived = signal<void>();
    behind = (_req, res) => {
      res.writeHead(200, {
        'content-type': type,
        ...(length === undefined ? {} : { 'content-length': length }),
      });
      res.write('first');
      // Were it held back, the second would never be sent.
      void firstArrived.promise.then(() => res.end('other'));
    };
    const sent = open(nginx.url, path, {});
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: string[] = [];
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk.toString());
      firstArrived.resolve();
    });
    await once(response, 'end');
    expect(chunks).toEqual(['first', 'other']);
  });

  test('an upload to ComfyUI arrives as it is sent', async () => {
    const firstArrived = signal<void>();
    const chunks: string[] = [];
    behind = (req, res) => {
      req.on('data', (chunk: Buffer) => {
        chunks.push(chunk.toString());
        firstArrived.resolve();
      });
      req.once('end', () => res.end('{}'));
    };
    const sent = open(nginx.url, '/comfyui/upload/image', {
      method: 'POST',
      headers: { 'content-length': '10' },
    });
    const answer = answerTo(sent);
    sent.write('first');
    await firstArrived.promise;
    sent.end('other');
    expect((await answer).status).toBe(200);
    expect(chunks).toEqual(['first', 'other']);
  });

  test('an upload without a length is cut when it grows too large', async () => {
    behind = (req, res) => {
      req.resume();
      req.once('end', () => res.end('{}'));
    };
    const sent = open(nginx.url, '/api/upload/image', { method: 'POST' });
    const answer = answerTo(sent);
    sent.end(Buffer.alloc(6 * 1024 * 1024));
    expect(await answer).toMatchObject({
      status: 413,
      body: { error: 'The body may have at most 5 MB', code: 'body_too_large' },
    });
  });

  test.each([
    ['/v1/images/edits', 50],
    ['/v2/comfyui/run', 20],
    ['/mcp', 20],
  ])('%s may bring images of %d MB', async (path, limit) => {
    behind = (req, res) => {
      req.resume();
      req.once('end', () => res.end('{}'));
    };
    for (const [megabytes, status] of [
      [limit - 1, 200],
      [limit + 1, 413],
    ] as const) {
      const sent = open(nginx.url, path, { method: 'POST' });
      const answer = answerTo(sent);
      sent.end(Buffer.alloc(megabytes * 1024 * 1024));
      expect(await answer).toMatchObject({
        status,
        body: status === 413 ? { error: `The body may have at most ${limit} MB` } : {},
      });
    }
  });

  test('those behind it learn who asked, by which address, and whether it is a WebSocket', async () => {
    const seen: IncomingMessage[] = [];
    behind = (req, res) => {
      seen.push(req);
      res.end();
    };
    const host = `localhost:${new URL(nginx.url).port}`;
    const forged = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', upgrade: 'h2c' };
    await ask(nginx.url, '/api/a%2Fb?c=%26', { headers: { host, ...forged } });
    await ask(nginx.url, '/comfyui/a%2Fb?c=%26', { headers: { host, ...forged } });
    expect(seen.map(({ url }) => url)).toEqual(['/api/a%2Fb?c=%26', '/a%2Fb?c=%26']);
    for (const { headers } of seen) {
      expect(headers).toMatchObject({
        host,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
      });
      expect(headers.connection).not.toBe('close');
      expect(headers.upgrade).toBeUndefined();
    }
  });

  test("ComfyUI's wire has a port of its own, where paths, keys and sockets pass", async () => {
    const seen: IncomingMessage[] = [];
    behind = (req, res) => {
      seen.push(req);
      res.end();
    };
    const host = `localhost:${new URL(nginx.wireUrl).port}`;
    const key = { authorization: 'Bearer abc' };
    await ask(nginx.wireUrl, '/userdata/a%2Fb?c=%26', { headers: { host, ...key } });
    await ask(nginx.wireUrl, '/api/ws?clientId=a', { headers: { host, upgrade: 'websocket' } });
    expect(seen.map(({ url }) => url)).toEqual(['/userdata/a%2Fb?c=%26', '/api/ws?clientId=a']);
    expect(seen[0]!.headers).toMatchObject({ host, ...key });
    expect(seen[1]!.headers).toMatchObject({ upgrade: 'websocket', connection: 'upgrade' });
    expect(await ask(nginx.wireUrl, '/prompt', { headers: { host: 'evil.example' } })).toMatchObject({
      status: 421,
    });
  });

  test("the API's own errors pass as they are", async () => {
    const body = '{"status":"unhealthy","error":"ComfyUI not responding"}';
    behind = (_, res) => res.writeHead(503, { 'content-type': 'application/json' }).end(body);
    expect(await ask(nginx.url, '/api/health')).toMatchObject({ status: 503, text: body });
  });

  test('a request that cannot be read is told so in JSON', async () => {
    const socket = connect(Number(new URL(nginx.url).port), '127.0.0.1');
    socket.end(`GET /api/queue HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'bad_request' });
  });

  test('an API that cuts the connection is 502', async () => {
    behind = (req) => req.socket.destroy();
    const { status, headers, body } = await ask(nginx.url, '/api/queue');
    expect(status).toBe(502);
    expect(body).toEqual({ error: 'The API does not answer; try again', code: 'unavailable' });
    // A page of another site must be able to read it as it reads the API's answers.
    expect(headers).toMatchObject({ 'retry-after': '2', 'access-control-allow-origin': '*' });
  });

  test('an API that says nothing is 504 after 30 seconds', async () => {
    const silent = createServer(() => undefined);
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const api = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const other = await startNginx({ api, comfyui: upstream.address });
    try {
      const from = performance.now();
      const { status, headers, body } = await ask(other.url, '/api/generate', { method: 'POST', body: '{}' });
      expect(status).toBe(504);
      expect(body).toEqual({ error: 'The API took too long to answer; try again', code: 'unavailable' });
      expect(headers['retry-after']).toBe('2');
      expect(performance.now() - from).toBeLessThan(33_000);
      // Its silence is nobody else's.
      expect((await ask(other.url, '/comfyui/')).status).toBe(200);
    } finally {
      await other.close();
      silent.close();
    }
  }, 50_000);

  test('it starts without those behind it, and says who does not answer', async () => {
    const gone = await goneAddress();
    // A name that nobody knows is what a container that is down has.
    const other = await startNginx({ api: gone, comfyui: 'comfyui.invalid:8188' });
    try {
      const from = performance.now();
      expect(await ask(other.url, '/api/queue')).toMatchObject({
        status: 502,
        body: { error: 'The API does not answer; try again', code: 'unavailable' },
      });
      expect(await ask(other.url, '/comfyui/queue')).toMatchObject({
        status: 502,
        body: { error: 'ComfyUI does not answer; try again', code: 'unavailable' },
      });
      expect(performance.now() - from).toBeLessThan(5000);
    } finally {
      await other.close();
    }
  });

  describe.skipIf(noOpenssl)(`with TLS and a password, uncommented ${noOpenssl ?? ''}`, () => {
    let keys: string;
    let guarded: Nginx | undefined;
    beforeAll(async () => {
      keys = await mkdtemp(join(tmpdir(), 'nginx-'));
      const [key, certificate] = [join(keys, 'privkey.pem'), join(keys, 'fullchain.pem')];
      const words =
        'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost';
      execFileSync(
        'openssl',
        [...words.split(' '), '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
        { stdio: 'ignore' },
      );
      const hash = execFileSync('openssl', ['passwd', '-6', 'open sesame']).toString().trim();
      await writeFile(join(keys, 'htpasswd'), `me:${hash}\n`);
      execFileSync('chmod', ['-R', 'a+rX', keys]);
    });
    afterEach(() => guarded?.close());
    afterAll(() => rm(keys, { recursive: true, force: true }));

    const uncommented: NginxOptions['edit'] = (text) => {
      expect(text.match(/^\s*#(tls|auth) /gm)).toHaveLength(12);
      return text.replaceAll(/#(tls|auth) /g, '').replaceAll('/etc/nginx/private', keys);
    };

    async function status(url: string, authorization?: string): Promise<number> {
      const sent = requestTls(`${url}/api/queue`, {
        ca: await readFile(join(keys, 'fullchain.pem')),
        agent: false,
        ...(authorization === undefined ? {} : { auth: authorization }),
      });
      sent.end();
      const answer = await answerTo(sent);
      if (answer.status === 401)
        expect(answer).toMatchObject({
          headers: { 'www-authenticate': 'Basic realm="ComfyUI"' },
          body: { error: 'Give a user name and a password', code: 'unauthorized' },
        });
      return answer.status;
    }

    test('only who knows it comes in, and those behind never see it', async () => {
      const seen: IncomingMessage['headers'][] = [];
      behind = (req, res) => {
        seen.push(req.headers);
        res.end();
      };
      guarded = await startNginx({ api: upstream.address, comfyui: upstream.address, edit: uncommented });
      expect(await status(guarded.tlsUrl)).toBe(401);
      expect(await status(guarded.tlsUrl, 'me:guess')).toBe(401);
      expect((await ask(guarded.url, '/comfyui/prompt', { method: 'POST' })).status).toBe(401);
      expect(seen).toEqual([]);
      // What compose.yaml asks, to see whether nginx is up.
      expect((await ask(guarded.url, '/nginx-health')).status).toBe(204);
      expect(await status(guarded.tlsUrl, 'me:open sesame')).toBe(200);
      expect(seen).toHaveLength(1);
      expect(seen[0]).toMatchObject({ 'x-forwarded-proto': 'https' });
      expect(seen[0]).not.toHaveProperty('authorization');
    });
  });
});
