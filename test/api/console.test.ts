// The console as the API serves it: what browsers are allowed, and what they keep.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { SETTINGS } from '../support/app.ts';
import { build } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess } from './support.ts';

let rig: Rig;
let app: ApiApp;
let html: string;
beforeAll(async () => {
  await build();
  rig = await startRig({ forward: false });
  app = anotherProcess(rig, { admit: askForKeys(rig.store) });
  html = await (await app.request('/')).text();
});
afterAll(() => rig.close());

const named = (pattern: RegExp) => pattern.exec(html)![0];

test('the page is open to all, and is asked for again each time', async () => {
  const page = await app.request('/');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const again = await app.request('/', { headers: { 'if-none-match': page.headers.get('etag')! } });
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect((await app.request('/', { method: 'HEAD' })).status).toBe(200);
});

test('no script and no style stands in the page, and its policy allows none', async () => {
  const policy = (await app.request('/')).headers.get('content-security-policy')!;
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(policy).not.toContain('unsafe');
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(html.match(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/g)).toBeNull();
  expect(html.match(/https?:\/\/(?!www\.w3\.org)/g)).toBeNull();
});

test.each([
  ['on S3', 'bucket', /img-src 'self' data: blob: https:\/\/images\.s3\.\S+\.amazonaws\.com;/],
  [
    'at an origin of their own',
    { origin: 'https://images.example.com' },
    /media-src 'self' blob: https:\/\/images\.example\.com;/,
  ],
] as const)('images that lie %s may be shown', async (_, links, expected) => {
  const other = anotherProcess(rig, { settings: { ...SETTINGS, links } });
  expect((await other.request('/')).headers.get('content-security-policy')).toMatch(expected);
});

test.each([/console\/console-\w+\.js/, /console\/console-\w+\.css/])(
  '%s is kept for good',
  async (pattern) => {
    const file = await app.request(`/${named(pattern)}`, { headers: { 'accept-encoding': 'gzip' } });
    expect(file.status).toBe(200);
    expect(file.headers.get('cache-control')).toContain('immutable');
    expect(file.headers.get('content-encoding')).toBe('gzip');
    const bytes = (await file.arrayBuffer()).byteLength;
    expect(bytes).toBeLessThan(150_000);
  },
);

test.each([
  ['GET /console/nothing.js', 404, 'route_not_found'],
  ['GET /console/index.html', 404, 'route_not_found'],
  ['GET /console/..%2fdocs%2fLICENSE', 404, 'route_not_found'],
  ['POST /', 405, 'method_not_allowed'],
])('%s is %i', async (route, status, code) => {
  const [method, path] = route.split(' ') as [string, string];
  const answer = await app.request(path, { method });
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ code });
});
