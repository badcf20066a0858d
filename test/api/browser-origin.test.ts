// An API without keys is not every page's to drive. Source: SECURITY.md.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Rig, startRig } from '../support/rig.ts';

const SHOP = 'https://shop.example.com';
let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false, settings: { allowedOrigins: [SHOP], allowedHosts: ['gpu-box'] } });
});
afterAll(() => rig.close());

const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
  const response = await rig.app.request(`http://127.0.0.1:5000${path}`, { method, headers });
  const { code } = (await response.json()) as { code?: string };
  return [response.status, code];
};

const REFUSED = [403, 'origin_not_allowed'];

test.each(['/api/queue', '/api/history', '/api/outputs', '/api/status/x', '/api/system', '/api/usage'])(
  'a page of another origin is not shown %s',
  async (path) => {
    expect(await ask(path, { origin: 'https://evil.example' })).toEqual(REFUSED);
    expect(await ask(path, { 'sec-fetch-site': 'cross-site' })).toEqual(REFUSED);
    expect(await ask(path, { origin: 'null' })).toEqual(REFUSED);
    expect(await ask(path, { origin: 'http://127.0.0.1:8080' })).toEqual(REFUSED);
  },
);

test.each([
  ['POST', '/api/queue/clear'],
  ['POST', '/api/generate'],
  ['POST', '/api/upload/image'],
  ['DELETE', '/api/queue/x'],
])('nor does it %s %s', async (method, path) => {
  const headers = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
  expect(await ask(path, headers, method)).toEqual(REFUSED);
});

test.each<[string, Record<string, string>]>([
  ['curl and the guide’s clients', {}],
  ['a page of ours', { origin: 'http://127.0.0.1:5000', 'sec-fetch-site': 'same-origin' }],
  ['a page of ours behind a proxy that takes TLS off', { origin: 'https://127.0.0.1:5000' }],
  ['a page that is named', { origin: SHOP, 'sec-fetch-site': 'cross-site' }],
  ['an address that is typed', { 'sec-fetch-site': 'none' }],
])('%s is answered', async (_, headers) => {
  expect(await ask('/api/queue', headers)).toEqual([200, undefined]);
});

test.each([
  ['evil.example', 403],
  ['127.0.0.1.evil.example', 403],
  ['localhost.evil.example', 403],
  ['localhost', 200],
  ['comfy.localhost', 200],
  ['192.168.1.7', 200],
  ['[::1]', 200],
  ['GPU-box', 200],
])('by the name %s it answers %i', async (name, status) => {
  const response = await rig.app.request(`http://${name}:5000/api/queue`);
  expect(response.status).toBe(status);
  if (status === 403) expect(await response.json()).toMatchObject({ code: 'host_not_allowed' });
});

test('with * every origin may call, and a foreign name still may not', async () => {
  const open = await startRig({ forward: false, settings: { allowedOrigins: ['*'] } });
  try {
    const response = await open.app.request('/api/queue', { headers: { origin: 'https://evil.example' } });
    expect(response.status).toBe(200);
    expect((await open.app.request('http://evil.example/api/queue')).status).toBe(403);
  } finally {
    await open.close();
  }
});

/** A browser that shows `url` and is ended once `told` has settled. */
async function browse(name: 'chromium' | 'firefox-esr', url: string, told: Promise<unknown>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'browser-'));
  const options =
    name === 'chromium'
      ? [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          `--user-data-dir=${profile}`,
          '--remote-debugging-port=0',
          url,
        ]
      : ['--headless', '--no-remote', '--profile', profile, url];
  const browser = spawn(name, options, { stdio: 'ignore', detached: true });
  try {
    await told;
  } finally {
    if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL');
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

describe.each(['chromium', 'firefox-esr'] as const)('in %s', (name) => {
  const isMissing = spawnSync(name, ['--version']).status !== 0;
  let page: Server | undefined;
  afterEach(() => {
    page?.closeAllConnections();
    page?.close();
  });

  test.skipIf(isMissing)(
    'a foreign page can neither clear the queue nor plant an upload',
    async () => {
      const jobId = await rig.generate();
      const api = rig.url.replace('localhost', '127.0.0.1');
      // What needs no preflight: forms, and requests whose answers a page may not read.
      const script = `
      const form = new FormData();
      form.append('image', new Blob(['x'], { type: 'image/png' }), 'x.png');
      const tries = [
        fetch('${api}/api/queue/clear', { method: 'POST', mode: 'no-cors' }),
        fetch('${api}/api/queue/clear', { method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' }, body: '{}' }),
        fetch('${api}/api/upload/image', { method: 'POST', mode: 'no-cors', body: form }),
        fetch('${api}/api/queue').then((answer) => answer.text()).then((text) => fetch('/read?' + text)),
      ];
      Promise.allSettled(tries).then(() => fetch('/done'));`;
      let read = false;
      const told = new Promise<void>((resolve) => {
        page = createServer((req, res) => {
          if (req.url?.startsWith('/read')) read = true;
          if (req.url === '/done') resolve();
          res.setHeader('content-type', 'text/html');
          res.end(req.url === '/' ? `<script>${script}</script>` : '');
        });
      });
      await new Promise<void>((resolve) => {
        page!.listen(0, '127.0.0.1', resolve);
      });
      // Another host name than the API's: another site, not just another port.
      await browse(name, `http://localhost:${(page!.address() as AddressInfo).port}/`, told);
      expect(read).toBe(false);
      expect(await rig.status(jobId)).toMatchObject({ status: 'queued' });
      const uploads: string[] = [];
      for await (const { key } of rig.images.list('uploads/')) uploads.push(key);
      expect(uploads).toEqual([]);
    },
    60_000,
  );
});
