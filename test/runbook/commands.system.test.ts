// Every command of the pages that a person follows is typed here as it stands there: by the real AWS CLI, against a
// deployment on moto. What cannot be is marked in its page with the reason (see page.ts), and is at least understood by
// its program. What README.md and its pages type into a `bash` fence is the concern of test/readme.system.test.ts.

import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../functions/images/client.ts';
import { tables } from '../../functions/store/tables.ts';
import { templatesWith } from '../infra/synth.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';
import { hasCli, NOT_UNDERSTOOD, runBash } from './cli.ts';
import { type Command, markOf, readPage } from './page.ts';
import { ACCOUNT, AMI, AMI_PARAMETER, makeWorld, OTHER, REGION, type World } from './world.ts';

const PAGES = [
  'README.md',
  'docs/aws.md',
  'docs/benchmarks.md',
  'docs/chaos.md',
  'docs/operations.md',
  'infra/RUNBOOK.md',
];

const pages = await Promise.all(PAGES.map(async (name) => ({ name, ...(await readPage(name)) })));
const places = ({ page, line }: Command) => `${page}:${line}`;

/** Each once, wherever it stands. */
function commandsThat(matches: (command: Command) => boolean, isRun = true): [string, Command][] {
  const found = new Map<string, Command>();
  for (const page of pages)
    for (const command of page.commands)
      if (matches(command) && (markOf(command, page) === undefined) === isRun)
        found.set(command.text, command);
  return [...found];
}

const isAws = ({ text }: Command) => /\baws /.test(text);
const isCdk = ({ text }: Command) => text.startsWith('npx cdk ');
const isVitest = ({ text }: Command) => text.startsWith('npx vitest run ');
const isNpm = ({ text }: Command) => text.startsWith('npm ');

test('every mark is of a command that stands in its page', () => {
  const stale = pages.flatMap((page) => {
    const used = new Set(page.commands.map((command) => markOf(command, page)));
    return [...page.notRun.keys()].filter((mark) => !used.has(mark)).map((mark) => `${page.name}: ${mark}`);
  });
  expect(stale).toEqual([]);
});

test('no command is of a program that nothing here runs', () => {
  const unknown = commandsThat((one) => ![isAws, isCdk, isVitest, isNpm].some((is) => is(one)));
  expect(unknown.map(([text, one]) => `${places(one)}: ${text}`)).toEqual([]);
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
  const { commands } = pages.find(({ name }) => name === 'infra/RUNBOOK.md')!;
  const named = commands.flatMap(({ text }) => /^for table in ([^;]+);/.exec(text)?.[1] ?? []);
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

/** What is left of it, for those that change something; all others must show something. */
const EFFECTS: {
  of: RegExp;
  given?(world: Clients): Promise<void>;
  leaves(world: Clients): Promise<void>;
}[] = [
  {
    of: /^aws autoscaling update-auto-scaling-group .*--max-size 0/,
    leaves: async ({ group }) => {
      // They are protected, and end by the next command.
      const { DesiredCapacity, Instances } = (await group())!;
      expect([DesiredCapacity, Instances!.length]).toEqual([0, 2]);
    },
  },
  // Only after the one above none comes in their place: both are a test of their own.
  { of: /^for instance in/, leaves: async () => undefined },
  {
    of: /^aws autoscaling set-desired-capacity/,
    leaves: async ({ group }) => expect([0, 1]).toContain((await group())!.DesiredCapacity),
  },
  {
    of: /^aws autoscaling terminate-instance/,
    leaves: async ({ group }) => {
      const { DesiredCapacity, Instances } = (await group())!;
      expect([DesiredCapacity, Instances!.length]).toEqual([1, 1]);
    },
  },
  {
    of: /^aws autoscaling resume-processes/,
    leaves: async ({ group }) => {
      const { SuspendedProcesses } = (await group())!;
      expect(SuspendedProcesses!.map(({ ProcessName }) => ProcessName)).toEqual(['AZRebalance']);
    },
  },
  {
    of: /^aws autoscaling delete-auto-scaling-group/,
    leaves: async ({ group }) => expect(await group()).toBeUndefined(),
  },
  { of: /^aws (sqs purge-queue|ec2 delete-subnet)/, leaves: async () => undefined },
  {
    of: /^aws ssm put-parameter .*aws:ec2:image/,
    leaves: async ({ parameter }) => {
      expect(await parameter('/comfyui/ami')).toMatchObject({ DataType: 'aws:ec2:image', Value: AMI });
    },
  },
  {
    of: /^aws ssm put-parameter .*hub-token/,
    leaves: async ({ parameter }) => {
      expect(await parameter('/comfyui/hub-token')).toMatchObject({ Type: 'SecureString' });
    },
  },
  {
    of: /^aws ssm delete-parameter .*hub-token/,
    given: ({ putParameter }) => putParameter('/comfyui/hub-token'),
    leaves: async ({ parameter }) => {
      await expect(parameter('/comfyui/hub-token')).rejects.toThrow('not found');
    },
  },
  {
    of: /^for table in/,
    leaves: async ({ tableNames }) => {
      expect(await tableNames()).toEqual(tables.map(({ name }) => `${OTHER}-${name}`).sort());
    },
  },
  {
    of: /^for bucket in/,
    leaves: async ({ bucketNames }) =>
      expect(await bucketNames()).toEqual([`${OTHER}-images-${ACCOUNT}-${REGION}`]),
  },
];

type Clients = ReturnType<typeof clientsOf>;

function clientsOf(moto: Moto) {
  const settings = {
    endpoint: moto.url,
    region: REGION,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const scaling = new AutoScalingClient(settings);
  const dynamodb = new DynamoDBClient(settings);
  const s3 = createS3Client(settings);
  const ssm = new SSMClient(settings);
  return {
    group: async () => (await scaling.send(new DescribeAutoScalingGroupsCommand({}))).AutoScalingGroups![0],
    tableNames: async () => (await dynamodb.send(new ListTablesCommand({}))).TableNames!.sort(),
    bucketNames: async () => (await s3.send(new ListBucketsCommand({}))).Buckets!.map(({ Name }) => Name),
    putParameter: async (Name: string) =>
      void (await ssm.send(new PutParameterCommand({ Name, Value: 'hf_test', Type: 'SecureString' }))),
    parameter: async (Name: string) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter,
  };
}

describe.skipIf(!hasMoto || !hasCli)(
  'on moto (skipped: moto_server or version 2 of `aws` is not installed)',
  () => {
    const templates = templatesWith({ amiParameter: AMI_PARAMETER });
    let moto: Moto;
    let home: string;
    let world: World;
    /** Made anew after what changed it. */
    let isFresh = false;
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), 'runbook-'));
      moto = await startMoto();
    }, 90_000);
    afterAll(async () => {
      await moto?.close();
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    });

    async function freshWorld(): Promise<void> {
      if (!isFresh) world = await makeWorld(moto, templates, home);
      isFresh = true;
    }

    function type({ before, text }: Pick<Command, 'before' | 'text'>) {
      let script = [...before, text].join('\n');
      for (const [name, value] of Object.entries(world.names))
        script = script.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), value);
      return runBash(script, { ...world.env, WORKSPACE_PATH: join(home, 'workspace') });
    }

    test.each(commandsThat(isAws))(
      '%s',
      async (text, command) => {
        await freshWorld();
        const effect = EFFECTS.find(({ of }) => of.test(text));
        if (effect) isFresh = false;
        await effect?.given?.(clientsOf(moto));
        const { code, stdout, stderr } = await type(command);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        if (effect) await effect.leaves(clientsOf(moto));
        else expect(stdout.trim()).not.toMatch(/^(None|null|\[\])?$/);
      },
      420_000,
    );

    test('the stop of the budget page leaves no host, and none comes', async () => {
      isFresh = false;
      await freshWorld();
      isFresh = false;
      const { commands } = pages.find(({ name }) => name === 'infra/RUNBOOK.md')!;
      const first = commands.findIndex(({ text }) => text.includes('--max-size 0'));
      for (const command of commands.slice(first, first + 2)) expect((await type(command)).code).toBe(0);
      const { MaxSize, DesiredCapacity, Instances } = (await clientsOf(moto).group())!;
      expect({ MaxSize, DesiredCapacity, Instances }).toEqual({
        MaxSize: 0,
        DesiredCapacity: 0,
        Instances: [],
      });
    }, 420_000);

    test.each(commandsThat(isAws, false))(
      'the CLI understands `%s`',
      async (_text, command) => {
        await freshWorld();
        expect((await type(command)).code).not.toBe(NOT_UNDERSTOOD);
      },
      420_000,
    );

    test.each(commandsThat((one) => isCdk(one) || isNpm(one)))(
      '%s',
      async (_text, command) => {
        await freshWorld();
        const { code, stdout, stderr } = await type(command);
        expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
      },
      240_000,
    );
  },
);
