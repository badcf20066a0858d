// What the pages name is there: programs, scripts, tests, tables, CDK's flags; and no mark is left over.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tables } from '../../functions/store/tables.ts';
import { markOf } from './page.ts';
import { commandsThat, isAws, isCdk, isNpm, isVitest, pages, runbook } from './pages.ts';

test('every mark is of a command that stands in its page', () => {
  const stale = pages.flatMap((page) => {
    const used = new Set(page.commands.map((command) => markOf(command, page)));
    return [...page.notRun.keys()].filter((mark) => !used.has(mark)).map((mark) => `${page.name}: ${mark}`);
  });
  expect(stale).toEqual([]);
});

test('no command is of a program that nothing here runs', () => {
  const unknown = commandsThat((one) => ![isAws, isCdk, isVitest, isNpm].some((is) => is(one)));
  expect(unknown.map(([text, one]) => `${one.page}:${one.line}: ${text}`)).toEqual([]);
});

test('the tests that are named are there', () => {
  const absent = commandsThat(isVitest).flatMap(([text]) =>
    text
      .split(' ')
      .slice(3)
      .filter((path) => !existsSync(path)),
  );
  expect(absent).toEqual([]);
});

test('every table that is ours is deleted for good', () => {
  const named = runbook().flatMap(({ text }) => /^for table in ([^;]+);/.exec(text)?.[1] ?? []);
  expect(named.map((list) => list.split(' '))).toEqual([tables.map(({ name }) => name)]);
});

test('the scripts that are named are there', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = [...commandsThat(isNpm), ...commandsThat(isNpm, false)].flatMap(
    ([text]) => /^npm run (\S+)/.exec(text)?.[1] ?? [],
  );
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test.each(commandsThat(isCdk, false))(
  'CDK understands `%s`',
  async (text) => {
    const [, , verb, ...words] = text.split(' ');
    const { stdout: help } = await promisify(execFile)('npx', ['cdk', verb!, '--help']);
    const flags = words.filter((word) => word.startsWith('-'));
    expect(flags.filter((flag) => !new RegExp(`(^|\\s)${flag}\\b`, 'm').test(help))).toEqual([]);
  },
  60_000,
);
