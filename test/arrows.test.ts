// The folders tell the architecture: imports point one way. Source: docs/architecture.md, "Where to look".

import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** A room may import itself and these. `log` and `metrics` are files beside the rooms; `runtime` is what
 * every entry point shares. */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  log: [],
  config: ['core', 'log'],
  metrics: [],
  machines: ['core', 'log'],
  models: ['core', 'log', 'images'],
  runtime: ['core', 'log'],
  store: ['core', 'log'],
  images: ['core', 'log'],
  comfyui: ['core', 'log'],
  api: ['core', 'log', 'metrics', 'store', 'images', 'comfyui'],
  forwarder: ['core', 'log', 'metrics', 'store', 'images', 'comfyui'],
  controller: ['core', 'log', 'metrics', 'store', 'images', 'comfyui', 'machines'],
  webhooks: ['core', 'log', 'metrics', 'store'],
  host: ['core', 'log', 'metrics', 'runtime', 'store', 'images', 'comfyui', 'machines'],
};
/** Files that compose, and only they, may import anything and read the environment. */
const COMPOSES = /^(local|cli)\/|^runtime\/(connect|exit)\.ts$|\/(main|lambda|from-settings)\.ts$/;

async function sources(): Promise<{ file: string; text: string }[]> {
  const entries = await readdir('functions', { recursive: true });
  const files = entries.map((entry) => entry.replaceAll('\\', '/')).filter((entry) => entry.endsWith('.ts'));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(join('functions', file), 'utf8') })),
  );
}

const roomOf = (file: string) => file.split('/')[0]!.replace(/(-events)?\.ts$/, '');

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    relative('functions', resolve(dirname(join('functions', file)), path!)).replaceAll('\\', '/'),
  );
}

test('imports point one way', async () => {
  const wrong: string[] = [];
  for (const { file, text } of await sources()) {
    if (COMPOSES.test(file)) continue;
    const room = roomOf(file);
    for (const target of importsOf(file, text)) {
      const other = roomOf(target);
      if (other !== room && !MAY_IMPORT[room]?.includes(other)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every room is known here', async () => {
  const rooms = new Set((await sources()).map(({ file }) => roomOf(file)));
  expect([...rooms].filter((room) => !MAY_IMPORT[room] && !['local', 'cli'].includes(room))).toEqual([]);
});

test('only what composes reads the environment', async () => {
  const readers = (await sources())
    .filter(({ file, text }) => !COMPOSES.test(file) && /process\.env/.test(text))
    .map(({ file }) => file);
  expect(readers).toEqual([]);
});

test('core has no I/O, no clock, no randomness and no SDK', async () => {
  const wrong = (await sources())
    .filter(({ file }) => file.startsWith('core/'))
    .flatMap(({ file, text }) =>
      [
        /Date\.now|new Date\(\)/,
        /Math\.random|randomBytes|randomUUID/,
        /node:(fs|net|http|child)/,
        /@aws-sdk/,
        /fetch\(/,
      ]
        .filter((pattern) => pattern.test(text))
        .map((pattern) => `${file}: ${String(pattern)}`),
    );
  expect(wrong).toEqual([]);
});

test('DynamoDB is known to store alone, S3 to images, models and the embedded one alone', async () => {
  const wrong = (await sources()).flatMap(({ file, text }) => {
    const dynamodb = /@aws-sdk\/(client|lib)-dynamodb/.test(text) && !file.startsWith('store/');
    const s3 = /@aws-sdk\/(client-s3|s3-)/.test(text) && !/^(images|models|local\/embedded-s3)\//.test(file);
    return dynamodb || s3 ? [file] : [];
  });
  expect(wrong).toEqual([]);
});
