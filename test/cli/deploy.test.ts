// `npm run deploy`: one question before anything happens; and, with moto as AWS, the tables that are protected after it.

import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tablesIn } from '../../functions/cli/deploy/tables.ts';
import { createStoreClient } from '../../functions/store/dynamodb/client.ts';
import { protectTables } from '../../functions/store/dynamodb/protect-tables.ts';
import { tables } from '../../functions/store/tables.ts';
import { appWith } from '../infra/synth.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';
import { build, startProgram } from '../support/program.ts';

test('runs no test, and asks nothing of its own beside one question', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  expect(scripts['deploy']).not.toMatch(/check|test|cdk/);
});

describe('as typed', () => {
  beforeAll(() => build(), 120_000);

  test.each([
    [
      ['--all'],
      'Unknown flag --all; npm run deploy -- takes --context, --yes, --import-existing-resources and --help',
    ],
    [[], 'npm run deploy -- --yes'],
  ])('%j without a terminal is refused in one line', async (args, sentence) => {
    const program = startProgram('deploy', {}, args);
    expect(await program.ended).toBe(1);
    expect(program.output().trim().split('\n')).toEqual([expect.stringContaining(sentence)]);
  });
});

/** util-linux's: a terminal of one's own. */
const hasTerminal = spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0;

describe.skipIf(!hasMoto)('with an account', () => {
  let moto: Moto;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  beforeAll(async () => {
    await build();
    moto = await startMoto();
  }, 180_000);
  afterAll(() => moto.close());

  test.skipIf(!hasTerminal)(
    'all three stacks are shown, one question is asked, and "n" deploys nothing',
    { timeout: 300_000 },
    async () => {
      const child = spawn('script', ['-qec', `${process.execPath} .build/deploy.mjs`, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: {
          ...process.env,
          AWS_ENDPOINT_URL: moto.url,
          AWS_ACCESS_KEY_ID: credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
          CI: '',
        },
      });
      let said = '';
      let answered = false;
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8');
        if (answered || !said.includes('(y/n)')) return;
        answered = true;
        child.stdin.write('n\n');
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      for (const stack of ['comfyui-stateful', 'comfyui-gpu-hosts', 'comfyui-compute'])
        expect(said).toContain(`Stack ${stack}`);
      expect(said.match(/\(y\/n\)/g)).toHaveLength(1);
      expect(said).toContain('Nothing was deployed');
      expect(code).toBe(1);
      const client = new DynamoDBClient({ endpoint: moto.url, region: 'us-east-1', credentials });
      await expect(client.send(new DescribeTableCommand({ TableName: 'comfyui-jobs' }))).rejects.toThrow(
        'not found',
      );
      client.destroy();
    },
  );

  test('tables are protected once they stand, and only those that are not', async () => {
    const { app, folder } = appWith({ region: 'eu-central-1' });
    app.synth();
    const found = await tablesIn(`${folder}/cdk.out`);
    expect(found).toEqual({
      region: 'eu-central-1',
      names: tables.map(({ name }) => `comfyui-${name}`).toSorted(),
    });
    const client = new DynamoDBClient({ endpoint: moto.url, region: found.region, credentials });
    for (const TableName of found.names)
      await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        }),
      );
    const store = createStoreClient({ endpoint: moto.url, region: found.region, credentials });
    expect(await protectTables(store, found.names)).toEqual(found.names);
    expect(await protectTables(store, found.names)).toEqual([]);
    store.raw.destroy();
    await expect(client.send(new DeleteTableCommand({ TableName: 'comfyui-jobs' }))).rejects.toThrow(
      /protection/i,
    );
    client.destroy();
  }, 60_000);
});
