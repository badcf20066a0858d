// The entry as `cdk synth` runs it: a program that gets its context from the CLI and writes templates.

import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaults } from './synth.ts';

// Where its packages are found.
const program = join('node_modules', '.cache', `infra-${process.pid}.mjs`);

beforeAll(async () => {
  await build({
    entryPoints: ['infra/app.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
}, 60_000);
const assembly = join(tmpdir(), `comfyui-infra-app-${process.pid}`);
afterAll(() => [program, assembly].forEach((path) => rmSync(path, { recursive: true, force: true })));

const run = (context: Record<string, unknown>) =>
  spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: assembly,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
  });

test('a bad setting ends it with one sentence and exit code 1', () => {
  const { status, stdout, stderr } = run({ ...defaults(), maxHosts: 'many' });
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: 'maxHosts must be a whole number from 0 to 1000; it is "many".\n',
  });
});
