// The folder of ComfyUI's page on the wire's port: its files and no others, before any key, and never in the way of an address.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askForKeys } from '../../../functions/api/http/access.ts';
import type { ApiApp } from '../../../functions/api/deps.ts';
import { apiSettings } from '../../../functions/config/api.ts';
import { appsWith, SETTINGS } from '../../support/app.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call } from '../support.ts';
import { createKey } from './keys.ts';

let rig: Rig;
let directory: string;
let wire: ApiApp;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  directory = await mkdtemp(join(tmpdir(), 'page-'));
  const page = join(directory, 'static');
  await mkdir(join(page, 'assets'), { recursive: true });
  await mkdir(join(page, 'extensions', 'core'), { recursive: true });
  await mkdir(join(page, 'api'));
  await writeFile(join(page, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(page, 'assets', 'index-Abc123_x.js'), 'export {};');
  await writeFile(join(page, 'api', 'queue'), 'a file in the way');
  await writeFile(join(directory, 'secret.txt'), 'secret');
  const { store, images, templates, log, timings } = rig;
  const admit = askForKeys({ keys: store.keys, now: store.now });
  const workflows = { templates, refused: [] };
  const settings = { ...SETTINGS, page };
  ({ wire } = appsWith({ ...store, images, workflows, log, timings, admit, settings }));
});
afterAll(async () => {
  await rig.close();
  await rm(directory, { recursive: true, force: true });
});

test('files come without a key, with a policy that keeps them at home', async () => {
  const index = await wire.request('/');
  expect(index.status).toBe(200);
  expect(index.headers.get('content-type')).toMatch(/^text\/html/);
  expect(index.headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(index.headers.get('cache-control')).toBe('no-cache');
  const script = await wire.request('/assets/index-Abc123_x.js');
  expect(script.headers.get('content-type')).toMatch(/javascript/);
  expect(script.headers.get('cache-control')).toContain('immutable');
});

test('what the page asks needs a key', async () => {
  const key = await createKey(rig, 'ada');
  for (const path of ['/api/users', '/api/settings', '/api/i18n', '/queue', '/api/queue', '/extensions']) {
    expect(await call(wire, `GET ${path}`)).toMatchObject({ status: 401 });
    expect((await call(wire, `GET ${path}`, { headers: { 'x-api-key': key } })).status).toBe(200);
  }
  expect(await call(wire, 'POST /api/settings', { json: {}, headers: { 'x-api-key': key } })).toMatchObject({
    status: 405,
    json: { error: { type: 'method_not_allowed' } },
  });
});

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/assets/..%5c..%5c..%5csecret.txt',
  '//etc/passwd',
])('%s leads out of the folder, and to nothing', async (path) => {
  const answer = await wire.request(`http://127.0.0.1${path}`);
  expect(answer.status).toBe(401);
  expect(await answer.text()).not.toContain('secret');
});

test('a wire without a page has none of its addresses', async () => {
  expect((await call(rig.wire, 'GET /')).status).toBe(404);
  expect((await call(rig.wire, 'GET /api/settings')).status).toBe(404);
});

test('a folder that has no page is refused at the start, and so is a page without a port', () => {
  const page = join(directory, 'static');
  const read = (given: Record<string, string>) =>
    apiSettings({ IMAGES_BUCKET: 'images', BUCKET: 'images', ...given });
  expect(() => read({ COMFYUI_API_PAGE: directory, COMFYUI_API_PORT: '0' })).toThrow(
    /COMFYUI_API_PAGE must be/,
  );
  expect(() => read({ COMFYUI_API_PAGE: page })).toThrow(/COMFYUI_API_PORT/);
});
