// The box without Docker: `npm start`'s program and a ComfyUI behind the nginx file that compose.yaml mounts.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { blockBelow } from '../contract/guide.ts';
import { plainGraph } from '../simulated-comfyui/graphs.ts';
import { build, type Program, startCommand, startProgram } from '../support/program.ts';
import { type Nginx, missing, startNginx } from './nginx.ts';
import { answerTo, ask, open } from './upstream.ts';

const absent = missing(['nginx', '-v'], ['envsubst', '--version']);
const noPython = missing(['python3', '-c', 'import requests']);

describe.skipIf(absent)(`the box ${absent ?? ''}`, () => {
  let folder: string;
  let comfyui: SimulatedComfyUI;
  let program: Program;
  let nginx: Nginx;
  /** What the page takes for the root of everything that it asks for, as its api.ts works it out. */
  let pageBase: string;

  beforeAll(async () => {
    await build();
    folder = await mkdtemp(join(tmpdir(), 'box-'));
    comfyui = await startSimulatedComfyUI({ stepMs: 1 });
    program = startProgram('local', {
      API_PORT: '0',
      WORKSPACE_PATH: join(folder, 'workspace'),
      COMFYUI_HOST: '127.0.0.1',
      COMFYUI_PORT: String(comfyui.port),
    });
    const [, api] = await program.until(/REST API\s+http:\/\/(\S+)[^]*Stop: Ctrl-C/);
    nginx = await startNginx({ api: api!, comfyui: `127.0.0.1:${comfyui.port}` });
    pageBase = new URL(`${nginx.url}/comfyui/`).pathname.split('/').slice(0, -1).join('/');
  }, 60_000);
  afterAll(async () => {
    await nginx?.close();
    program?.signal('SIGKILL');
    await program?.ended;
    await comfyui?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  /** Of ComfyUI, by the product too. */
  const asked = (what: RegExp): string[] =>
    comfyui.requests.map(({ method, path }) => `${method} ${path}`).filter((line) => what.test(line));

  test.skipIf(noPython)(
    `the guide's Python client gets its image ${noPython ?? ''}`,
    async () => {
      const script = blockBelow('Python Client Example', 'python');
      const address = "API_URL = 'http://localhost:5000'";
      expect(script).toContain(address);
      // Another test has port 5000.
      await writeFile(join(folder, 'client.py'), script.replace(address, `API_URL = '${nginx.url}'`));
      const client = startCommand(
        'python3',
        [join(folder, 'client.py')],
        process.env as Record<string, string>,
      );
      const [, name] = await client.until(/Completed: (\S+)/);
      const image = await fetch(`${nginx.url}/api/image/${name}`);
      expect(sizeOf(await image.arrayBuffer())).toEqual([1024, 1024]);
    },
    60_000,
  );

  test('a link that the API signs leads back through nginx', async () => {
    const jobId = await generate();
    await expect.poll(async () => (await statusOf(jobId))['status'], { timeout: 15_000 }).toBe('completed');
    const [image] = (await statusOf(jobId))['images'] as [{ url: string; width: number; height: number }];
    expect(new URL(image.url).origin).toBe(nginx.url);
    expect(sizeOf(await (await fetch(image.url)).arrayBuffer())).toEqual([image.width, image.height]);
  });

  async function generate(): Promise<string> {
    const { status, body } = await ask(nginx.url, '/api/generate', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a secret fox', width: 256, height: 256, steps: 2 }),
    });
    expect(status).toBe(202);
    return String(body['job_id']);
  }
  const statusOf = async (jobId: string) => (await ask(nginx.url, `/api/status/${jobId}`)).body;

  test("ComfyUI's page has an address of its own, with a slash at its end, on the port that was asked", async () => {
    const { status, headers } = await ask(nginx.url, '/comfyui');
    expect([status, headers.location]).toEqual([301, '/comfyui/']);
    expect(pageBase).toBe('/comfyui');
    expect((await ask(nginx.url, '/comfyui/')).text).toContain('ComfyUI');
  });

  test("ComfyUI's page submits prompts and follows them on its WebSocket", async () => {
    const clientId = randomUUID();
    const socket = new WebSocket(`${nginx.url.replace(/^http/, 'ws')}${pageBase}/ws?clientId=${clientId}`, {
      origin: nginx.url,
    });
    const ran = new Map<unknown, { nodes: unknown[]; ended(): void }>();
    const firstMessage = once(socket, 'message');
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) return;
      const { type, data: told } = JSON.parse(data.toString()) as {
        type: string;
        data: { node?: string | null; prompt_id?: string };
      };
      if (type !== 'executing') return;
      const run = ran.get(told.prompt_id);
      if (told.node === null) run?.ended();
      else run?.nodes.push(told.node);
    });
    try {
      const [first] = (await firstMessage) as [Buffer];
      expect(JSON.parse(first.toString())).toMatchObject({ type: 'status', data: { sid: clientId } });
      for (const path of ['/prompt', '/api/prompt']) {
        const promptId = randomUUID();
        const nodes: unknown[] = [];
        const ended = new Promise<void>((resolve) => {
          ran.set(promptId, { nodes, ended: resolve });
        });
        const { status, body } = await ask(nginx.url, `${pageBase}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: nginx.url },
          body: JSON.stringify({
            prompt: plainGraph(path.length, path.slice(1)),
            client_id: clientId,
            prompt_id: promptId,
          }),
        });
        expect([status, body['prompt_id']]).toEqual([200, promptId]);
        await ended;
        expect(nodes).toEqual(['1', '2']);
      }
    } finally {
      socket.terminate();
    }
    // The same path without the prefix is ours.
    expect((await ask(nginx.url, '/api/prompt', { method: 'POST' })).body).toMatchObject({
      code: 'route_not_found',
    });
  });

  test('paths reach ComfyUI to the letter', async () => {
    await ask(nginx.url, `${pageBase}/api/userdata/workflows%2Fmy%20own.json?overwrite=true`);
    expect(asked(/userdata/)).toEqual(['GET /api/userdata/workflows%2Fmy%20own.json']);
  });

  test.each([
    ['exactly 100 MB', 104_857_600, 200],
    ['a byte more', 104_857_601, 413],
  ])(
    'an upload to ComfyUI of %s: %i bytes, %i',
    async (_, size, expected) => {
      const before = asked(/upload/);
      const sent = open(nginx.url, `${pageBase}/api/upload/image`, {
        method: 'POST',
        headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': `${size}` },
      });
      const answer = answerTo(sent);
      sent.end(formOf(size));
      const { status, body } = await answer;
      expect(status).toBe(expected);
      if (expected === 200) expect(body).toMatchObject({ name: 'large.png', type: 'input' });
      else {
        expect(body).toEqual({ error: 'The body may have at most 100 MB', code: 'body_too_large' });
        expect(asked(/upload/)).toEqual(before);
      }
    },
    60_000,
  );

  test('an upload to the API that is a little too large is refused in its own words', async () => {
    const size = 4_500_000;
    // It answers by the length alone: again and again, or luck decides whether that answer is heard.
    for (let count = 0; count < 10; count += 1) {
      const sent = open(nginx.url, '/api/upload/image', {
        method: 'POST',
        headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}`, 'content-length': `${size}` },
      });
      sent.end(formOf(size));
      const { status, body } = await answerTo(sent);
      expect(status).toBe(413);
      expect(body).toEqual({ error: 'An image may have at most 4 MB', code: 'body_too_large' });
    }
  });

  test('a page of another site reaches neither ComfyUI nor its WebSocket', async () => {
    const before = asked(/^POST .*prompt|ws$/);
    const { status, body } = await ask(nginx.url, '/comfyui/prompt', {
      method: 'POST',
      headers: { 'content-type': 'text/plain', origin: 'http://other.example' },
      body: JSON.stringify({ prompt: plainGraph() }),
    });
    expect([status, body['code']]).toEqual([403, 'foreign_origin']);
    const socket = new WebSocket(`${nginx.url.replace(/^http/, 'ws')}/comfyui/ws`, {
      origin: 'http://other.example',
    });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('403');
    expect(asked(/^POST .*prompt|ws$/)).toEqual(before);
  });

  test('another name for this machine leads nowhere', async () => {
    for (const path of ['/comfyui/', '/api/queue'])
      expect(await ask(nginx.url, path, { headers: { host: 'renamed.example' } })).toMatchObject({
        status: 421,
        body: { code: 'unknown_name' },
      });
    expect((await ask(nginx.url, '/api/queue', { headers: { host: 'localhost:5000' } })).status).toBe(200);
  });

  test('ways around the prefix end', async () => {
    for (const path of ['/api/../comfyui/queue', '//comfyui/queue', '/%63omfyui/queue'])
      expect(await ask(nginx.url, path)).toMatchObject({ status: 404, body: { code: 'route_not_found' } });
    expect(asked(/comfyui/)).toEqual([]);
  });

  test('its log has the way of every request, and neither prompts nor queries', async () => {
    await ask(nginx.url, '/api/outputs?limit=17');
    await generate();
    const log = await nginx.log();
    expect(log).toMatch(/ GET \/api\/outputs 200 /);
    expect(log).toMatch(/ POST \/api\/generate 202 \S+ \S+$/m);
    expect(log).not.toMatch(/limit=17|secret fox|clientId/);
  });
});

const BOUNDARY = 'the-boundary';

/** A form with one file, so many bytes in all. */
function formOf(size: number): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="large.png"\r\nContent-Type: image/png\r\n\r\n`;
  const tail = `\r\n--${BOUNDARY}--\r\n`;
  return Buffer.concat([
    Buffer.from(head),
    Buffer.alloc(size - head.length - tail.length),
    Buffer.from(tail),
  ]);
}

function sizeOf(image: ArrayBuffer): [number, number] {
  const { width, height } = PNG.sync.read(Buffer.from(image));
  return [width, height];
}
