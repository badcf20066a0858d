// Every program of the terminal explains itself, and refuses what it does not know before it does anything.

import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { LOST } from '../support/no-aws.ts';
import { build, startCommand } from '../support/program.ts';

beforeAll(() => build(), 120_000);

async function run(name: string, ...args: string[]) {
  const program = startCommand(process.execPath, [join(packageRoot(), `.build/${name}.mjs`), ...args], LOST);
  const code = await program.ended;
  return { code, output: program.output(), stderr: program.stderr() };
}

test.each([
  'deploy',
  'doctor',
  'generate',
  'image',
  'keys',
  'mcp',
  'models',
  'simulate',
  'smoke',
  'workflows',
])(
  '%s',
  async (name) => {
    const help = await run(name, '--help');
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.output).toMatch(new RegExp(`^npm run ${name} -- [^]*\n  --help, -h +this\n`));
    expect(help.output.split('\n').filter((line) => line.length > 100)).toEqual([]);
    const command = /^npm run \w+ -- (\w+)\|/.exec(help.output)?.[1] ?? [];
    const wrong = await run(name, ...[command].flat(), '--nothing');
    expect(wrong).toMatchObject({ code: 1, output: wrong.stderr });
    expect(wrong.stderr).toMatch(
      /^Unknown flag --nothing; npm run \w+ -- takes (?:[^\n]+ and )?--help[^\n]*\n$/,
    );
  },
  60_000,
);

test('a reader that has had enough, as head, does no harm', async () => {
  const program = startCommand(process.execPath, [join(packageRoot(), '.build/keys.mjs'), '--help'], LOST);
  program.stopReading();
  expect(await program.ended).toBe(0);
}, 60_000);
