// The official TypeScript client from its package: every public method, as docs/comfy-api-v2.md says.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../../functions/runtime/workflows.ts';
import { startCommand } from '../../support/program.ts';
import { type GivenToClient, givenToClient } from './support.ts';

let given: GivenToClient;
beforeAll(async () => {
  given = await givenToClient();
});
afterAll(() => given.close());

test('each public method is called, and the page names each', async () => {
  const program = join(import.meta.dirname, 'sdk-typescript.mjs');
  const run = startCommand(process.execPath, [program, given.path], {
    PATH: process.env['PATH'] ?? '',
    COMFY_BASE_URL: given.url,
  });
  expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
  const said = JSON.parse(run.output().trim().split('\n').at(-1)!) as {
    methods: string[];
    uncalled: string[];
  };
  expect(said.methods.length).toBeGreaterThan(40);
  expect(said.uncalled).toEqual([]);
  const page = await readFile(join(packageRoot(), 'docs', 'comfy-api-v2.md'), 'utf8');
  expect(said.methods.filter((method) => !page.includes(`\`${method.split('.')[1]}\``))).toEqual([]);
});
