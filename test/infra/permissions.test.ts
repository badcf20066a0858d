// Who may do what: each room exactly what its code calls, and nobody everything.

import { describe, expect, test } from 'vitest';
import { createMachines, type Machines } from '../../functions/machines/machines.ts';
import { GROUP, startFakeAutoScaling } from '../machines/fake-auto-scaling.ts';
import { CREDENTIALS, REGION } from '../support/store.ts';
import { resourcesOf, templatesWith } from './synth.ts';

interface Statement {
  role: string;
  actions: string[];
  /** As text, with the account as `<account>`. */
  resources: string[];
}

const statements = statementsOf();

function statementsOf(changes: Parameters<typeof templatesWith>[0] = {}): Statement[] {
  return resourcesOf(templatesWith(changes)).flatMap(([id, { Type, Properties }]) => {
    if (Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::Role') return [];
    const documents =
      Type === 'AWS::IAM::Policy'
        ? [Properties['PolicyDocument']]
        : ((Properties['Policies'] as { PolicyDocument: unknown }[] | undefined) ?? []).map(
            ({ PolicyDocument }) => PolicyDocument,
          );
    return (documents as { Statement: { Effect: string; Action: unknown; Resource: unknown }[] }[])
      .flatMap(({ Statement }) => Statement)
      .filter(({ Effect }) => Effect === 'Allow')
      .map(({ Action, Resource }): Statement => ({
        role:
          /(Api|Forwarder|Controller|Webhooks|GpuHostsHostRole|GpuHostsBuilder|GpuHostsSeeder|SuspendAzRebalance)/
            .exec(id)?.[1]
            ?.replace('GpuHostsHostRole', 'Host')
            .replace(/^GpuHosts(Builder|Seeder)$/, '$1') ?? id,
        actions: listOf(Action).map(String),
        resources: listOf(Resource).map(textOf),
      }));
  });
}

/** `table/jobs UpdateItem`, `byWork Query`, `images/images GetObject`: everything that a role may do. */
function allowedTo(role: string, service: 'dynamodb' | 's3' | 'autoscaling'): string[] {
  const found = statements
    .filter((statement) => statement.role === role)
    .flatMap(({ actions, resources }) =>
      actions
        .filter((action) => action.startsWith(`${service}:`))
        .flatMap((action) => resources.map((resource) => `${shortNameOf(resource)} ${action.split(':')[1]}`)),
    );
  return [...new Set(found)].toSorted();
}

const forEach = (place: string, ...actions: string[]) => actions.map((action) => `${place} ${action}`);
const STREAM = [
  ...forEach('stream of jobs', 'DescribeStream', 'GetRecords', 'GetShardIterator'),
  '* ListStreams',
];

describe('tables', () => {
  test('the api accepts, reads, cancels and forgets jobs, and sees hosts', () => {
    expect(allowedTo('Api', 'dynamodb')).toEqual(
      [
        ...forEach('jobs', 'BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'),
        ...forEach('jobs/index/byList', 'Query'),
        ...forEach('jobs/index/byOwner', 'Query'),
        ...forEach('jobs/index/byWork', 'Query'),
        'hosts Scan',
        ...forEach('fleet', 'GetItem'),
        ...forEach('chores', 'DeleteItem', 'PutItem'),
        ...forEach('keys', 'GetItem', 'PutItem', 'Scan', 'UpdateItem'),
        ...forEach('owners', 'BatchGetItem', 'GetItem', 'UpdateItem'),
        ...forEach('usage', 'BatchGetItem', 'GetItem', 'UpdateItem'),
        ...forEach('deliveries', 'BatchGetItem', 'GetItem', 'UpdateItem'),
        ...forEach('deliveries/index/byDue', 'Query'),
        ...forEach('deliveries/index/byOwner', 'Query'),
        ...forEach('deliveries/index/byType', 'Query'),
        ...forEach('ledgers', 'BatchGetItem', 'PutItem'),
        'ledgers/index/byHour Query',
        ...forEach('assets', 'DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'),
        ...forEach('webhook-secrets', 'GetItem', 'PutItem'),
      ].toSorted(),
    );
  });

  test('only the forwarder reads what offers to hosts are signed with', () => {
    const readers = statements
      .filter(({ resources }) => resources.some((resource) => shortNameOf(resource) === 'intakes'))
      .filter(({ actions }) => actions.some((action) => /Get|Scan|Query/.test(action)));
    expect(new Set(readers.map(({ role }) => role))).toEqual(new Set(['Forwarder']));
  });

  test('the forwarder reads hosts and the waiting index, and writes nothing', () => {
    expect(allowedTo('Forwarder', 'dynamodb')).toEqual(
      [
        ...forEach('jobs', 'BatchGetItem'),
        'jobs/index/byWork Query',
        'hosts Scan',
        'fleet GetItem',
        'intakes GetItem',
        ...STREAM,
      ].toSorted(),
    );
  });

  test('the controller changes jobs, hosts and what it remembers, and creates no job', () => {
    expect(allowedTo('Controller', 'dynamodb')).toEqual(
      [
        ...forEach('jobs', 'BatchGetItem', 'GetItem', 'UpdateItem'),
        'jobs/index/byWork Query',
        ...forEach('hosts', 'DeleteItem', 'Scan', 'UpdateItem'),
        'intakes DeleteItem',
        ...forEach('fleet', 'GetItem', 'PutItem'),
        ...forEach('chores', 'DeleteItem', 'Scan'),
        ...forEach('usage', 'GetItem', 'UpdateItem'),
        'usage/index/byOpen Query',
        'ledgers PutItem',
        ...STREAM,
      ].toSorted(),
    );
  });

  test('webhooks read ended jobs, take them out of the outbox, change deliveries, and put their ledger', () => {
    expect(allowedTo('Webhooks', 'dynamodb')).toEqual(
      [
        ...forEach('jobs', 'BatchGetItem', 'UpdateItem'),
        'jobs/index/byHook Query',
        ...forEach('deliveries', 'GetItem', 'PutItem', 'UpdateItem'),
        'deliveries/index/byDue Query',
        ...forEach('webhook-secrets', 'GetItem', 'PutItem'),
        'ledgers PutItem',
      ].toSorted(),
    );
    // RunPod's message has the files in it.
    expect(allowedTo('Webhooks', 's3')).toEqual(['images ListBucket', 'images/images/* GetObject']);
  });

  test('a host changes jobs and its own item; it can neither create nor delete a job', () => {
    expect(allowedTo('Host', 'dynamodb')).toEqual(
      [
        ...forEach('jobs', 'BatchGetItem', 'GetItem', 'UpdateItem'),
        'jobs/index/byWork Query',
        ...forEach('hosts', 'DeleteItem', 'GetItem', 'PutItem', 'Scan'),
        'fleet GetItem',
        ...forEach('intakes', 'DeleteItem', 'PutItem'),
        'ledgers PutItem',
      ].toSorted(),
    );
  });
});

describe('buckets', () => {
  test('the api reads all, puts uploads, graphs and what it makes of images, and deletes those and what a job left', () => {
    expect(allowedTo('Api', 's3')).toEqual(
      [
        'images ListBucket',
        ...['images', 'derived', 'uploads', 'graphs', 'inventories'].map(
          (prefix) => `images/${prefix}/* GetObject`,
        ),
        ...['derived', 'uploads', 'graphs'].map((prefix) => `images/${prefix}/* PutObject`),
        ...['images', 'derived', 'uploads', 'graphs'].map((prefix) => `images/${prefix}/* DeleteObject`),
      ].toSorted(),
    );
  });

  test('a host puts images and what its ComfyUI has; models and the installed ComfyUI it only reads', () => {
    expect(allowedTo('Host', 's3')).toEqual(
      [
        'bundle GetObject',
        'images ListBucket',
        ...['images', 'uploads', 'graphs', 'inventories'].map((prefix) => `images/${prefix}/* GetObject`),
        ...['images', 'derived', 'inventories'].map((prefix) => `images/${prefix}/* PutObject`),
        'images/images/* AbortMultipartUpload',
        'models ListBucket',
        ...['manifest.json', 'models/*', 'archives/*'].map((key) => `models/${key} GetObject`),
      ].toSorted(),
    );
  });

  test('the builder, which runs no graph, puts the installed ComfyUI, and may do nothing else', () => {
    expect(allowedTo('Builder', 's3')).toEqual(
      [
        'bundle GetObject',
        'models ListBucket',
        ...['GetObject', 'PutObject', 'AbortMultipartUpload'].map((action) => `models/archives/* ${action}`),
      ].toSorted(),
    );
    const services = statements
      .filter(({ role }) => role === 'Builder')
      .flatMap(({ actions }) => actions.map((action) => action.split(':')[0]));
    expect(new Set(services)).toEqual(new Set(['s3']));
  });

  test('the seeder puts models, goes on with an upload, reads the token of the hub, and may do nothing else', () => {
    expect(allowedTo('Seeder', 's3')).toEqual(
      [
        'bundle GetObject',
        'models ListBucket',
        ...forEach('models/manifest.json', 'GetObject', 'PutObject'),
        ...forEach('models/seeding.json', 'GetObject'),
        ...forEach(
          'models/models/*',
          'GetObject',
          'PutObject',
          'AbortMultipartUpload',
          'ListMultipartUploadParts',
        ),
      ].toSorted(),
    );
    const others = statements
      .filter(({ role }) => role === 'Seeder')
      .filter(({ actions }) => actions.some((action) => !action.startsWith('s3:')));
    expect(others.map(({ actions, resources }) => [actions, resources])).toEqual([
      [['ssm:GetParameter'], [expect.stringMatching(/:parameter\/comfyui\/hub-token$/)]],
    ]);
  });

  test('nobody else may put there', () => {
    const writers = statements
      .filter(({ actions }) => actions.some((action) => /^s3:(Put|Delete)/.test(action)))
      .filter(({ resources }) => resources.some((resource) => shortNameOf(resource).startsWith('models')));
    expect(writers.map(({ role }) => role)).toEqual(['Builder', 'Seeder']);
  });

  test.each(['Forwarder', 'Controller'])('the %s has none', (role) => {
    expect(allowedTo(role, 's3')).toEqual([]);
  });
});

describe('the group of the GPU hosts', () => {
  test.each<[string, string[]]>([
    ['Api', []],
    ['Forwarder', []],
    ['Webhooks', []],
    ['Builder', []],
    ['Seeder', []],
    [
      'Controller',
      [
        '* DescribeAutoScalingGroups',
        '* DescribeScalingActivities',
        'the group SetDesiredCapacity',
        'the group TerminateInstanceInAutoScalingGroup',
      ],
    ],
    // It looks before it ends itself: functions/machines, terminate.
    ['Host', ['* DescribeAutoScalingGroups', 'the group TerminateInstanceInAutoScalingGroup']],
    ['SuspendAzRebalance', ['the group SuspendProcesses']],
  ])('%s: %j', (role, expected) => {
    expect(allowedTo(role, 'autoscaling')).toEqual(expected);
  });
});

test('where hosts are spot instances the controller may change what the group is made of, and nobody else', () => {
  const allowing = (of: typeof statements) =>
    of
      .filter(({ actions }) => actions.includes('autoscaling:UpdateAutoScalingGroup'))
      .map(({ role }) => role);
  expect(allowing(statements)).toEqual([]);
  expect(allowing(statementsOf({ spot: true }))).toEqual(['Controller']);
});

describe('what the rooms call of Auto Scaling', () => {
  /** Every action that reaches AWS, whatever function it is hidden in. */
  async function callsOf(work: (machines: Machines) => Promise<unknown>): Promise<string[]> {
    const aws = await startFakeAutoScaling({ max: 2 });
    const called = new Set<string>();
    try {
      aws.group.desired = 1;
      aws.pass(0);
      aws.fault = (action) => void called.add(action);
      const { url: endpoint } = aws;
      await work(createMachines({ group: GROUP, region: REGION, endpoint, credentials: CREDENTIALS }));
    } finally {
      await aws.close();
    }
    return [...called].toSorted();
  }
  const actionsOf = (role: string) =>
    allowedTo(role, 'autoscaling')
      .map((allowed) => allowed.split(' ').at(-1)!)
      .toSorted();

  test('is what they may: a host that ends itself', async () => {
    const calls = await callsOf((machines) => machines.terminate('i-00000000000000001'));
    expect(calls).toEqual(actionsOf('Host'));
  });

  test('is what they may: a controller', async () => {
    const calls = await callsOf(async (machines) => {
      await machines.describe();
      await machines.launchFailure();
      await machines.raise(2);
      await machines.terminate('i-00000000000000001');
    });
    expect(calls).toEqual(actionsOf('Controller'));
  });
});

describe('stars', () => {
  test('no action has one', () => {
    expect(statements.length).toBeGreaterThan(20);
    expect(statements.flatMap(({ actions }) => actions.filter((action) => action.includes('*')))).toEqual([]);
  });

  test('no table, bucket, secret or queue is meant by one', () => {
    const wide = statements
      .filter(({ actions }) =>
        actions.some(
          (action) =>
            /^(dynamodb|s3|secretsmanager|sqs|sns|logs):/.test(action) && action !== 'dynamodb:ListStreams',
        ),
      )
      .flatMap(({ resources }) => resources)
      // Objects of one prefix of one bucket.
      .filter((resource) => !/:s3:::comfyui-(images|models)-[^*]+\/[a-z]+\/\*$/.test(resource))
      .filter((resource) => resource.includes('*'));
    expect(wide).toEqual([]);
  });

  test('who has one for all resources does only what AWS offers no resource for', () => {
    const all = statements
      .filter(({ resources }) => resources.includes('*'))
      .flatMap(({ actions }) => actions);
    expect(all.toSorted()).toEqual([
      'autoscaling:DescribeAutoScalingGroups',
      'autoscaling:DescribeAutoScalingGroups',
      'autoscaling:DescribeScalingActivities',
      'dynamodb:ListStreams',
      'dynamodb:ListStreams',
      'ssm:UpdateInstanceInformation',
      'ssmmessages:CreateControlChannel',
      'ssmmessages:CreateDataChannel',
      'ssmmessages:OpenControlChannel',
      'ssmmessages:OpenDataChannel',
    ]);
  });
});

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** An intrinsic function as the text that it becomes. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[name, argument]] = Object.entries(value as Record<string, unknown>) as [[string, unknown]];
  if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(textOf).join('');
  if (name === 'Fn::Sub') return String(argument);
  if (name === 'Ref') return `<${String(argument)}>`;
  return `<${JSON.stringify(argument)}>`;
}

function shortNameOf(resource: string): string {
  if (resource.includes('StreamArn')) return 'stream of jobs';
  if (resource.endsWith(':autoScalingGroup:*:autoScalingGroupName/comfyui-gpu-hosts')) return 'the group';
  if (/cdk-hnb659fds-assets.*\.zip$/.test(resource)) return 'bundle';
  const table = /:table\/comfyui-(.+)$/.exec(resource)?.[1];
  const bucket = /:s3:::comfyui-(images|models)-<AWS::AccountId>-us-east-1(.*)$/.exec(resource);
  return table ?? (bucket ? bucket[1]! + bucket[2]! : resource);
}
