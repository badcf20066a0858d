// A folder of templates as systems and editors leave it. Source: docs/reports.md.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadTemplates } from '../../functions/runtime/workflows.ts';

const graph = JSON.stringify({ '1': { class_type: 'EmptyImage', inputs: { width: 64 } } });
const inputs = JSON.stringify({ title: 'A case', inputs: {} });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'workflows-'));
  await writeFile(join(folder, 'a.json'), graph);
  await writeFile(join(folder, 'a.inputs.json'), inputs);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a mark of the byte order is no part of the JSON', async () => {
  await writeFile(join(folder, 'a.json'), `\uFEFF${graph}`);
  await writeFile(join(folder, 'a.inputs.json'), `\uFEFF${inputs}`);
  expect([...(await loadTemplates(folder)).keys()]).toEqual(['a']);
});

test('what a system leaves beside files is no workflow', async () => {
  await writeFile(join(folder, '._a.json'), 'Mac OS X');
  await writeFile(join(folder, '._a.inputs.json'), 'Mac OS X');
  expect([...(await loadTemplates(folder)).keys()]).toEqual(['a']);
});

test('a bare NaN is one sentence that names the file', async () => {
  await writeFile(join(folder, 'a.json'), graph.replace('64', 'NaN'));
  await expect(loadTemplates(folder)).rejects.toThrow(/^workflows\/a\.json: is no JSON: /);
});
