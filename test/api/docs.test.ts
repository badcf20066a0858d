// The docs page: from here alone, open to all where the API is not, and without anything that somebody sent.

import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { drawKey } from '../../functions/core/access.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call } from './support.ts';

const STORAGE_DOCS = ['/docs', '/api/docs'];

let rig: Rig;
let app: ApiApp;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  app = anotherProcess(rig, { admit: askForKeys(rig.store) });
});
afterAll(() => rig.close());

/** Its scripts, styles and links, as addresses. */
function namedBy(page: string, at: string): string[] {
  return [...page.matchAll(/(?:src|href)="([^"]+)"/g)]
    .map(([, address]) => address!)
    .filter((address) => address !== 'data:,')
    .map((address) => new URL(address, `http://here${at}`).href);
}

describe.each(STORAGE_DOCS)('%s', (place) => {
  test('needs no key, and all that it names is here, of the right type', async () => {
    const page = await app.request(place);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const named = namedBy(await page.text(), place);
    expect(named).toHaveLength(4);
    for (const address of named) {
      const { origin, pathname } = new URL(address);
      expect(origin).toBe('http://here');
      const { status, headers } = await app.request(pathname);
      const type = { css: 'text/css', js: 'text/javascript', json: 'application/json' }[
        pathname.split('.').at(-1)!
      ];
      expect([pathname, status, headers.get('content-type')?.split(';')[0]]).toEqual([pathname, 200, type]);
    }
  });

  test('may run scripts from here alone, and none that stands in it', async () => {
    const page = await app.request(place);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self';");
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/);
    const text = await page.text();
    expect(text).not.toMatch(/<script(?![^>]* src=)|\son\w+=|javascript:/i);
  });

  test('serves what it needs and nothing else', async () => {
    for (const file of [
      'package.json',
      'index.html',
      'swagger-ui.js',
      '..%2f..%2fpackage.json',
      '%2e%2e%2fLICENSE',
      'LICENSE',
    ])
      expect((await app.request(`${place}/${file}`)).status).toBeGreaterThanOrEqual(400);
  });
});

test('a file is sent small to whoever takes it so, once, and is the same', async () => {
  const ask = (headers: Record<string, string>) => app.request('/docs/swagger-ui-bundle.js', { headers });
  const whole = await ask({});
  const small = await ask({ 'accept-encoding': 'br, gzip;q=0.8' });
  expect(whole.headers.get('content-encoding')).toBeNull();
  expect(small.headers.get('content-encoding')).toBe('gzip');
  expect(small.headers.get('vary')).toContain('Accept-Encoding');
  const [bytes, gzipped] = [Buffer.from(await whole.arrayBuffer()), Buffer.from(await small.arrayBuffer())];
  expect(gzipped.length).toBeLessThan(bytes.length / 3);
  expect(Number(small.headers.get('content-length'))).toBe(gzipped.length);
  expect(gunzipSync(gzipped).equals(bytes)).toBe(true);
  expect(small.headers.get('etag')).not.toBe(whole.headers.get('etag'));
  expect(whole.headers.get('cache-control')).toContain('max-age=');
  const again = await ask({ 'accept-encoding': 'gzip', 'if-none-match': small.headers.get('etag')! });
  expect(again.status).toBe(304);
  expect((await ask({ 'accept-encoding': 'gzip;q=0' })).headers.get('content-encoding')).toBeNull();
});

test('the head of a page is the page without its body', async () => {
  const head = await app.request('/docs', { method: 'HEAD' });
  const page = await app.request('/docs');
  expect(await head.text()).toBe('');
  expect(head.headers.get('content-length')).toBe(page.headers.get('content-length'));
});

test('what opens is the description: every other address still asks for a key', async () => {
  for (const path of [
    '/docs/',
    '/openapi',
    '/docs/a/b',
    '/api',
    '/api/status/x',
    '/openapi.json/..%2fapi/queue',
  ])
    expect((await app.request(path)).status).toBe(401);
  for (const path of ['/docs', '/openapi.json', '/api/docs/start.js']) {
    const { status, headers } = await app.request(path, { method: 'POST' });
    expect([status, headers.get('allow')]).toEqual([405, 'GET']);
  }
});

test('a prompt that is HTML stands in no page, and is answered as JSON alone', async () => {
  const html = '<img src=x onerror=alert(1)><script>alert(document.cookie)</script>';
  const { key, keyId, hash } = drawKey(randomBytes);
  const whose = { name: 'ann', owner: 'ann', scopes: ['generate', 'read'] as const, createdAt: 0 };
  await rig.store.keys.add({ keyId, hash, ...whose, scopes: [...whose.scopes] });
  const described = async () =>
    (await (await app.request('/docs')).text()) + (await (await app.request('/openapi.json')).text());
  const before = await described();
  const asked = { json: { prompt: html }, headers: { 'x-api-key': key } };
  const { json } = await call(app, 'POST /api/generate', asked);
  const tries = [
    ['POST', '/api/generate', asked.json],
    ['POST', '/api/generate', { prompt: 'x', [html]: 1 }],
    ['GET', `/api/status/${String(json['job_id'])}`],
    ['GET', '/api/queue'],
    ['GET', '/api/history'],
    ['GET', `/api/image/${encodeURIComponent(html)}`],
    ['GET', `/${encodeURIComponent(html)}`],
  ] as const;
  for (const [method, path, body] of tries) {
    const answer = await app.request(path, {
      method,
      headers: { ...asked.headers, accept: 'text/html', 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  }
  expect(await described()).toBe(before);
});
