// infra knows of functions what a deployment must: environments, schedules, zones, tables, names of metrics, and what browsers are
// told before they call. It speaks of bundles by path.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ALLOWED = [
  'core/quota',
  'core/secrets',
  'core/warm-schedule',
  'core/zones',
  'metrics',
  'models/token',
  'store/tables',
  'api/http/cloudfront-secret',
  'api/http/preflight',
].map((file) => `../functions/${file}.ts`);
const isAllowed = (path: string) => ALLOWED.includes(path) || path.startsWith('../functions/config/');

async function sources(): Promise<{ file: string; text: string }[]> {
  const files = (await readdir('infra')).filter((file) => file.endsWith('.ts'));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join('infra', file), 'utf8') })),
  );
}

test('infra imports of functions only what a deployment must know', async () => {
  const wrong = (await sources()).flatMap(({ file, text }) =>
    [...text.matchAll(/from '(\.\.[^']+)'/g)].flatMap(([, path]) =>
      isAllowed(path!) ? [] : [`${file} imports ${path}`],
    ),
  );
  expect(wrong).toEqual([]);
});

test('only the entry reads anything of its surroundings', async () => {
  const readers = (await sources()).filter(({ text }) =>
    /process\.(env|argv|exit|cwd)|getAllContext|tryGetContext/.test(text),
  );
  expect(readers.map(({ file }) => file)).toEqual(['app.ts']);
});
