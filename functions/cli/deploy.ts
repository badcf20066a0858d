// `npm run deploy`: shows the changes, asks once, deploys the three stacks and protects the tables from deletion. Only
// composes; runs no test (`npm run check` does). Exit code 0 if everything is deployed, else 1.

import { createInterface } from 'node:readline/promises';
import { createStoreClient } from '../store/dynamodb/client.ts';
import { protectTables } from '../store/dynamodb/protect-tables.ts';
import { CommandError } from './api.ts';
import { runCdk } from './deploy/cdk.ts';
import { tablesIn } from './deploy/tables.ts';
import { several, toggle, type Values } from './flags.ts';
import { runProgram } from './run.ts';

const program = {
  name: 'npm run deploy --',
  usage: '[-c setting=value ...] [--yes] [--import-existing-resources]',
  about: 'Shows what would change, asks once, and deploys all three stacks.',
  flags: {
    context: several('SETTING', 'setting=value, as in cdk.json', { short: 'c' }),
    yes: toggle('does not ask', { short: 'y' }),
    importExistingResources: toggle('takes up tables and buckets that are there already, by their names'),
  },
};

const ASSEMBLY = 'cdk.out';

async function deploy({
  context,
  yes,
  importExistingResources,
}: Values<typeof program.flags>): Promise<void> {
  if (!yes && !process.stdin.isTTY)
    throw new CommandError(
      'Standard input is no terminal, so the question cannot be answered: npm run deploy -- --yes deploys without it',
    );
  await runCdk(['synth', '--quiet', '--output', ASSEMBLY, ...context.flatMap((one) => ['-c', one])]);
  await runCdk(['diff', '--app', ASSEMBLY, '--all']);
  if (!yes && !(await isWanted())) throw new CommandError('Nothing was deployed');
  const imports = importExistingResources ? ['--import-existing-resources'] : [];
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

await runProgram(program, ({ values }) => deploy(values));
