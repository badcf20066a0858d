// The official Python client from its package: every public method, as docs/comfy-api-v2.md says.

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../../functions/runtime/workflows.ts';
import { startCommand } from '../../support/program.ts';
import { type GivenToClient, givenToClient } from './support.ts';

function absent(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import comfy_sdk'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return ' (skipped: python3 with comfy-sdk is missing)';
  }
}
const lacks = absent();

let given: GivenToClient;
beforeAll(async () => {
  if (lacks === undefined) given = await givenToClient();
});
afterAll(() => given?.close());

test.skipIf(lacks)(`each public method is called, and the page names each${lacks ?? ''}`, async () => {
  const run = startCommand('python3', [join(import.meta.dirname, 'sdk_python.py'), given.path], {
    PATH: process.env['PATH'] ?? '',
    COMFY_BASE_URL: given.url,
  });
  expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
  const said = JSON.parse(run.output().trim().split('\n').at(-1)!) as {
    methods: string[];
    uncalled: string[];
  };
  expect(said.methods.length).toBeGreaterThan(80);
  expect(said.uncalled).toEqual([]);
  const page = await readFile(join(packageRoot(), 'docs', 'comfy-api-v2.md'), 'utf8');
  expect(said.methods.filter((method) => !page.includes(`\`${method.split('.')[1]}\``))).toEqual([]);
});
