// The pages that a person follows, and their commands by program. Which of these files types which: aws that changes
// nothing in reads, aws that does in effects, npm and cdk in programs.

import { type Command, markOf, readPage } from './page.ts';

const PAGES = [
  'README.md',
  'docs/aws.md',
  'docs/benchmarks.md',
  'docs/chaos.md',
  'docs/operations.md',
  'infra/RUNBOOK.md',
];

export const pages = await Promise.all(PAGES.map(async (name) => ({ name, ...(await readPage(name)) })));

/** Each once, wherever it stands. */
export function commandsThat(matches: (command: Command) => boolean, isRun = true): [string, Command][] {
  const found = new Map<string, Command>();
  for (const page of pages)
    for (const command of page.commands)
      if (matches(command) && (markOf(command, page) === undefined) === isRun)
        found.set(command.text, command);
  return [...found];
}

export const runbook = () => pages.find(({ name }) => name === 'infra/RUNBOOK.md')!.commands;

export const isAws = ({ text }: Command) => /\baws /.test(text);
export const isCdk = ({ text }: Command) => text.startsWith('npx cdk ');
export const isVitest = ({ text }: Command) => text.startsWith('npx vitest run ');
export const isNpm = ({ text }: Command) => text.startsWith('npm ');
