// `npm run deploy`: what changes, one question, all three stacks, and the tables protected from being deleted. Only
// composes; runs no test (that is `npm run check`). Exit code 0 where all is deployed, else 1.

import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { explainAndExit } from '../runtime/exit.ts';
import { createStoreClient } from '../store/client.ts';
import { protectTables } from '../store/protect-tables.ts';
import { CommandError } from './api.ts';
import { runCdk } from './deploy/cdk.ts';
import { tablesIn } from './deploy/tables.ts';

const HELP = `npm run deploy -- [-c setting=value ...] [--yes] [--import-existing-resources]

  Shows what would change, asks once, and deploys all three stacks.

  -c                            a setting, as in cdk.json
  --yes                         does not ask
  --import-existing-resources   takes up tables and buckets that are there already, by their names
`;

const ASSEMBLY = 'cdk.out';

function parse(argv: string[]) {
  const options = {
    context: { type: 'string', short: 'c', multiple: true },
    yes: { type: 'boolean', short: 'y', default: false },
    'import-existing-resources': { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  try {
    return parseArgs({ args: argv, options }).values;
  } catch (error) {
    throw new CommandError(`${(error as Error).message.split('. ')[0]}; --help lists the flags`);
  }
}

async function deploy(argv: string[]): Promise<void> {
  const flags = parse(argv);
  if (flags.help) return void process.stdout.write(HELP);
  if (!flags.yes && !process.stdin.isTTY)
    throw new CommandError('Nobody is there to answer: npm run deploy -- --yes deploys without a question');
  await runCdk([
    'synth',
    '--quiet',
    '--output',
    ASSEMBLY,
    ...(flags.context ?? []).flatMap((one) => ['-c', one]),
  ]);
  await runCdk(['diff', '--app', ASSEMBLY, '--all']);
  if (!flags.yes && !(await isWanted())) throw new CommandError('Nothing was deployed');
  const imports = flags['import-existing-resources'] ? ['--import-existing-resources'] : [];
  await runCdk(['deploy', '--app', ASSEMBLY, '--all', '--require-approval', 'never', ...imports]);
  await protect();
}

async function protect(): Promise<void> {
  const { region, names } = await tablesIn(ASSEMBLY);
  const client = createStoreClient({ region });
  try {
    const found = await protectTables(client, names);
    if (found.length > 0) process.stdout.write(`Protected from being deleted: ${found.join(', ')}\n`);
  } finally {
    client.raw.destroy();
  }
}

async function isWanted(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question('Deploy all of this? (y/n) ')).trim());
  } finally {
    terminal.close();
  }
}

try {
  await deploy(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError)) explainAndExit(error);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
