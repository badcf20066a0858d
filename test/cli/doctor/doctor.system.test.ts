// `npm run doctor` as a process: without an account, against moto's server (and a fake for what moto gets wrong) as one
// that is put right line by line, and against an API.

import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  CreateLaunchConfigurationCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient, CreateStackCommand, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readDeployment } from '../../../functions/cli/deployment.ts';
import { createS3Client } from '../../../functions/images/s3/client.ts';
import { UNKNOWN_FLEET } from '../../../functions/core/fleet.ts';
import { createStoreClient, engineOf } from '../../../functions/store/dynamodb/client.ts';
import { createTables } from '../../../functions/store/dynamodb/create-tables.ts';
import { createFleetStore } from '../../../functions/store/fleet.ts';
import { hasMoto, type Moto, startMoto } from '../../support/moto.ts';
import { build, type Program, startProgram } from '../../support/program.ts';
import { type FakeAccount, startFakeAccount } from './fake-account.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'us-east-1';
let folder: string;
let servers: Server[] = [];
let programs: Program[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  await build();
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
afterEach(() => {
  for (const program of programs) program.stop();
  for (const server of servers) server.close().closeAllConnections();
  programs = [];
  servers = [];
});

/** Nobody is signed in, and no machine of EC2 is asked. */
const nobody = () => ({
  HOME: folder,
  WORKSPACE_PATH: join(folder, 'none'),
  AWS_EC2_METADATA_DISABLED: 'true',
});

async function run(env: Record<string, string>, ...args: string[]) {
  const program = startProgram('doctor', { ...nobody(), ...env }, args);
  programs.push(program);
  const code = await program.ended;
  return { code, output: program.output() };
}

async function serve(answer: (url: string, key: string | undefined) => [number, unknown]): Promise<string> {
  const server = createServer((request, response) => {
    const [status, body] = answer(request.url ?? '', request.headers.authorization);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** With what to do. */
function lineIn(output: string, name: string): string | undefined {
  const lines = output.split('\n');
  const at = lines.findIndex((one) => one.slice(6).startsWith(name));
  return lines[at]!.startsWith('next') ? `${lines[at]} ${lines[at + 1]!.trim()}` : lines[at];
}

test('without an account: one thing to do, and what hangs on it', async () => {
  const { code, output } = await run({});
  expect(code).toBe(1);
  expect(output).toContain('next  credentials        no AWS credentials were found\n');
  expect(output).toContain('→ aws configure sso');
  expect(output.match(/^–.* without credentials$/gm)).toHaveLength(18);
}, 60_000);

test.each([
  [['--aws', '--local'], /^--aws or --local, .*\n$/],
  [['--local', '--name', 'xy'], /^--name and --region .* --local\n$/],
  [['--region', 'us east'], /^--region must .*; it is "us east"\n$/],
  [['--name', ''], /^--name must .* 2 to 20 .*; it is ""\n$/],
  [['--awss'], /^.* --awss; .* --aws, --local, --name, --region and --help\n$/],
])(
  '%j is refused',
  async (args, sentence) => {
    expect(await run({}, ...args)).toEqual({ code: 1, output: expect.stringMatching(sentence) as string });
  },
  60_000,
);

describe('an API', () => {
  test('that runs here is told to be well, or what it lacks', async () => {
    const healthy = { status: 'healthy', comfyui: 'connected', simulated: true, system: { hosts: [{}] } };
    let health: [number, unknown] = [200, healthy];
    const url = await serve((path) => (path === '/api/health' ? health : [200, { total_jobs: 3 }]));
    expect(await run({ API_URL: url })).toEqual({
      code: 0,
      output: [
        `The API at ${url} (npm run doctor -- --aws looks at AWS)`,
        `ok    api                ${url} answers`,
        'ok    comfyui            connected, 1 host, simulated: no model paints',
        'ok    jobs               3 wait or run',
        '',
      ].join('\n'),
    });
    health = [503, { status: 'unhealthy', error: 'ComfyUI not responding' }];
    const silent = await run({ API_URL: url });
    expect(silent.code).toBe(1);
    expect(silent.output).toMatch(/^next +comfyui .*ComfyUI not responding/m);
  }, 60_000);

  test('that asks for a key', async () => {
    const url = await serve((path, key) => {
      if (key !== 'Bearer right') return [401, { error: 'The API key is not known' }];
      return [
        200,
        path === '/api/health' ? { status: 'healthy', comfyui: 'asleep', system: {} } : { total_jobs: 0 },
      ];
    });
    expect((await run({ API_URL: url })).output).toContain(`${url} answers; to see more: set API_KEY`);
    const wrong = await run({ API_URL: url, API_KEY: 'wrong' });
    expect(wrong).toMatchObject({
      code: 1,
      output: expect.stringContaining('refuses the key in API_KEY: The API key is not known'),
    });
    expect(await run({ API_URL: url, API_KEY: 'right' })).toMatchObject({
      code: 0,
      output: expect.stringContaining('asleep, 0 hosts'),
    });
  }, 60_000);

  test('that is none', async () => {
    const url = await serve(() => [200, 'hello']);
    expect((await run({ API_URL: url })).output).toContain(`what answers at ${url} is not this API (200)`);
    expect((await run({ API_URL: 'http://127.0.0.1:9' })).output).toMatch(
      /next {2}api +http:\/\/127.0.0.1:9 does not answer/,
    );
    expect((await run({}, '--local')).output).toContain('none runs here\n');
    expect(await run({ API_URL: url, API_KEY: 'a b' })).toEqual({
      code: 1,
      output: 'API_KEY must be a key, which has no spaces and no letters beyond ASCII; it has 3 characters\n',
    });
  }, 60_000);
});

test('an API that begins an answer and never ends it is late, one that sends on is not followed', async () => {
  let answer = (response: ServerResponse) => void response.write('{');
  const server = createServer((_, response) =>
    answer(response.setHeader('content-type', 'application/json')),
  );
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const API_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(lineIn((await run({ API_URL })).output, 'api')).toContain('does not answer (it took too long)');
  answer = (response) => void response.writeHead(301, { location: 'https://example.com/x' }).end();
  expect(lineIn((await run({ API_URL })).output, 'api')).toContain('sends on to https://example.com (301)');
}, 60_000);

describe.skipIf(!hasMoto)('an account (skipped: moto_server is not installed)', () => {
  let moto: Moto;
  let account: FakeAccount;
  beforeAll(async () => {
    moto = await startMoto();
    account = await startFakeAccount(moto.url);
    // It loads a service when it is first asked for, which takes longer than the doctor waits.
    const client = { region, endpoint: moto.url, credentials };
    await new SSMClient(client).send(new PutParameterCommand({ Name: 'warm', Value: '1', Type: 'String' }));
    await new CloudFormationClient(client).send(new ListStacksCommand({}));
  }, 120_000);
  afterAll(() => Promise.all([moto?.close(), account?.close()]));

  const env = () => ({
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: moto.url,
    AWS_ENDPOINT_URL_S3: moto.url,
    AWS_ENDPOINT_URL_SERVICE_QUOTAS: account.url,
    AWS_ENDPOINT_URL_LAMBDA: account.url,
    AWS_ENDPOINT_URL_FREETIER: account.url,
    AWS_ENDPOINT_URL_PRICING: account.url,
    AWS_ENDPOINT_URL_SSM: account.url,
  });
  const line = lineIn;

  async function stack(name: string, outputs: Record<string, string>): Promise<void> {
    const client = new CloudFormationClient({ region, endpoint: moto.url, credentials });
    const Outputs = Object.fromEntries(Object.entries(outputs).map(([key, Value]) => [key, { Value }]));
    const Resources = {
      Thing: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: '1', Name: name } },
    };
    await client.send(
      new CreateStackCommand({ StackName: name, TemplateBody: JSON.stringify({ Resources, Outputs }) }),
    );
  }

  async function addGroup(client: AutoScalingClient, name: string): Promise<void> {
    await client.send(
      new CreateLaunchConfigurationCommand({
        LaunchConfigurationName: 'gpu',
        ImageId: 'ami-12c6146b',
        InstanceType: 'g5.xlarge',
      }),
    );
    await client.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName: name,
        LaunchConfigurationName: 'gpu',
        MinSize: 0,
        MaxSize: 2,
        DesiredCapacity: 0,
        AvailabilityZones: ['us-east-1a'],
      }),
    );
  }

  test('is put right line by line', async () => {
    account.concurrency = 10;
    account.requests = [];
    account.plan = {
      accountPlanType: 'FREE',
      accountPlanStatus: 'ACTIVE',
      accountPlanRemainingCredits: { amount: 93.5, unit: 'USD' },
    };
    account.prices = { 'g6e.2xlarge': 2.5, 'g6e.4xlarge': 3.00424 };
    const bare = await run(env());
    expect(bare.code).toBe(1);
    const lineOf = (name: string) => line(bare.output, name);
    expect(lineOf('credentials')).toMatch(/^ok .* account 123456789012 as arn:aws:/);
    expect(lineOf('cdk bootstrap')).toContain('→ npx cdk bootstrap aws://123456789012/us-east-1');
    expect(lineOf('account plan')).toMatch(
      /the Free plan \(ACTIVE, 93.5 USD of credits left\): EC2 starts no GPU instance on it → aws freetier upgrade-account-plan --region us-east-1 --account-plan-type PAID/,
    );
    expect(account.signed.at(-1)).toMatch(/Credential=test\/\d{8}\/us-east-1\/freetier\/aws4_request/);
    expect(lineOf('instance types')).toMatch(/^ok .*us-east-1.*g6e\.2xlarge, g6e\.4xlarge, g7e\.2xlarge$/);
    expect(lineOf('machine image')).toContain('us-east-1 has no parameter /aws/service/deeplearning/ami/');
    expect(lineOf('prices')).toMatch(
      /g6e.2xlarge \$2.24208, .*; on AWS's list g6e.2xlarge \$2.5; AWS lists none for g7e.2xlarge → in cdk.json: "usdPerHour": \{"us-east-1":\{"g6e.2xlarge":2.5,"g6e.4xlarge":3.00424,"g7e.2xlarge":3.36312\}\}$/,
    );
    expect(lineOf('cloudfront')).toMatch(/^– .*"endpoint": "function-url" in cdk.json does without it$/);
    expect(lineOf('quota on demand')).toMatch(
      /0 vCPUs of G and VT: 0 of g6e.2xlarge or 0 of g6e.4xlarge or 0 of g7e.2xlarge; maxHosts is 2 → aws service-quotas request-service-quota-increase --region us-east-1 --service-code ec2 --quota-code L-DB2E81BA --desired-value 16$/,
    );
    expect(lineOf('quota spot')).toMatch(/^ok .*not used, since spot is false/);
    expect(lineOf('lambda concurrency')).toMatch(/^next .* 10 at once.*--quota-code L-B99A9384/);
    expect(lineOf('stacks')).toMatch(/comfyui-stateful in us-east-1 → npm run deploy$/);
    expect(lineOf('models')).toMatch(/^– /);

    account.quotas = { 'L-DB2E81BA': 8 };
    account.requests = [
      { Id: 'req-1', QuotaCode: 'L-DB2E81BA', DesiredValue: 16, Status: 'CASE_OPENED' },
      { Id: 'req-2', QuotaCode: 'L-B99A9384', DesiredValue: 1000, Status: 'PENDING' },
    ];
    account.plan = undefined;
    const asked = await run(env());
    expect(line(asked.output, 'quota on demand')).toMatch(
      /16 were asked for \(CASE_OPENED\) → wait for AWS: .*--request-id req-1$/,
    );
    expect(line(asked.output, 'lambda concurrency')).toMatch(
      /10 at once.*; 1000 were asked for \(PENDING\) → wait for AWS: .*--request-id req-2$/,
    );
    expect(line(asked.output, 'account plan')).toMatch(/^ok .*none to choose/);

    account.quotas = { 'L-DB2E81BA': 64 };
    account.concurrency = 1000;
    account.plan = { accountPlanType: 'PAID', accountPlanStatus: 'ACTIVE' };
    account.prices = { 'g6e.2xlarge': 2.24208, 'g6e.4xlarge': 3.00424, 'g7e.2xlarge': 3.36312 };
    account.parameters = { [(await readDeployment()).amiParameter]: 'ami-0123456789abcdef0' };
    await new SSMClient({ region, endpoint: moto.url, credentials }).send(
      new PutParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version', Value: '30', Type: 'String' }),
    );
    const url = await serve((_, key) => [401, { error: String(key) }]);
    await stack('comfyui-stateful', { TablePrefix: 'comfyui-', ModelsBucket: 'models' });
    await stack('comfyui-gpu-hosts', { AutoScalingGroup: 'comfyui-gpu-hosts' });
    await stack('comfyui-compute', { Url: url, ApiKeyCommand: 'aws secretsmanager ...' });
    const scaling = new AutoScalingClient({ region, endpoint: moto.url, credentials });
    await addGroup(scaling, 'comfyui-gpu-hosts');
    const s3 = createS3Client({ endpoint: moto.url, region, credentials });
    await s3.send(new CreateBucketCommand({ Bucket: 'models' }));
    const store = createStoreClient({ endpoint: moto.url, region, credentials });
    await createTables(store, 'comfyui-');
    const deployed = await run(env());
    expect(line(deployed.output, 'stacks')).toMatch(
      /^ok .*comfyui-stateful, comfyui-gpu-hosts and comfyui-compute$/,
    );
    expect(line(deployed.output, 'launches')).toMatch(/^ok .* 0 of at most 2 instances$/);
    const models = line(deployed.output, 'models');
    expect(models).toContain('→ npm run models -- seed --in-region --name comfyui --region us-east-1;');
    expect(models).toContain('npm run models -- seed --bucket models --region us-east-1');
    expect(line(deployed.output, 'api')).toContain(`${url} answers`);
    expect(line(deployed.output, 'api')).toContain('API_KEY=$(aws secretsmanager ...) npm run doctor');
    expect(line(deployed.output, 'controller')).toContain('it has not made a round yet');

    const file = {
      folder: 'vae',
      filename: 'vae.safetensors',
      sizeBytes: 336_000_000,
      sha256: 'a'.repeat(64),
      key: 'k',
      source: { repo: 'r', revision: 'v', path: 'p' },
    };
    await s3.send(
      new PutObjectCommand({
        Bucket: 'models',
        Key: 'manifest.json',
        Body: JSON.stringify({ v: 1, files: [file] }),
      }),
    );
    await createFleetStore(engineOf(store, 'comfyui-')).write({ ...UNKNOWN_FLEET, updatedAt: Date.now() });
    const well = await run(env());
    // What cdk.json says is of a new account; this one has more.
    expect(well.output.match(/^(next|–).*$/gm)).toHaveLength(1);
    expect(line(well.output, 'lambda concurrency')).toMatch(
      /1000 at once; cdk.json says 10, by which an alarm rings → in cdk.json: "lambdaConcurrency": 1000$/,
    );
    expect(well.code).toBe(1);
    expect(line(well.output, 'models')).toMatch(/1 files?, /);
    expect(line(well.output, 'gpu hosts')).toContain('none, which is what sleeps at zero');
    await scaling.send(
      new SuspendProcessesCommand({
        AutoScalingGroupName: 'comfyui-gpu-hosts',
        ScalingProcesses: ['Launch', 'AZRebalance'],
      }),
    );
    expect(line((await run(env())).output, 'launches')).toMatch(
      /^next .* launch suspended .*→ aws autoscaling resume-processes --region us-east-1 --auto-scaling-group-name comfyui-gpu-hosts --scaling-processes Launch$/,
    );
    s3.destroy();
    store.raw.destroy();
  }, 120_000);

  // Both 5.2.1 and 5.2.5 of moto, whose lists are AWS's of their day, have no g7e there.
  test('in another region lacks types and prices there', async () => {
    const { output } = await run(env(), '--region', 'me-central-1');
    expect(line(output, 'instance types')).toMatch(
      /me-central-1 does not offer g7e.2xlarge: Auto Scaling would refuse the whole group → in cdk.json: "instanceTypes": \["g6e.2xlarge","g6e.4xlarge"\]$/,
    );
    expect(line(output, 'prices')).toMatch(
      /^ok .* an hour in me-central-1: g6e.2xlarge no price, .*; AWS lists none for g6e.2xlarge/,
    );
    expect(line((await run(env(), '--region', 'us-west-1')).output, 'instance types')).toMatch(
      /us-west-1 offers none of g6e.2xlarge, g6e.4xlarge, g7e.2xlarge → another region/,
    );
  }, 60_000);

  test('that AWS has not verified for CloudFront is told the way without it', async () => {
    const failed = (stack: string): [string, string, string?][] => [
      [stack, 'ROLLBACK_COMPLETE'],
      ['Dashboard', 'CREATE_FAILED', 'Resource creation cancelled'],
      [
        'EndpointDistribution',
        'CREATE_FAILED',
        'Resource handler returned message: "Access denied for operation \'AWS::CloudFront::Distribution: Your account must be verified before you can add new CloudFront resources. To verify your account, please contact AWS Support',
      ],
      [stack, 'CREATE_IN_PROGRESS', 'User Initiated'],
      ['Earlier', 'CREATE_FAILED', 'of another deployment'],
    ];
    account.stacks = {
      'comfyui-stateful': { status: 'CREATE_COMPLETE', events: [] },
      'comfyui-gpu-hosts': { status: 'CREATE_COMPLETE', events: [] },
      'comfyui-compute': { status: 'ROLLBACK_COMPLETE', events: failed('comfyui-compute') },
    };
    const { output } = await run({ ...env(), AWS_ENDPOINT_URL_CLOUDFORMATION: account.url });
    expect(line(output, 'stacks')).toMatch(
      /the last deployment of comfyui-compute failed \(ROLLBACK_COMPLETE\): EndpointDistribution: .*must be verified.* → "endpoint": "function-url" in cdk.json, then npm run deploy/,
    );
  }, 60_000);

  test.each([
    ['REVIEW_IN_PROGRESS', /comfyui-compute is begun and holds nothing .* → npm run deploy$/],
    [
      'UPDATE_ROLLBACK_FAILED',
      / → aws cloudformation continue-update-rollback --region us-east-1 --stack-name comfyui-compute, /,
    ],
    ['DELETE_FAILED', / → aws cloudformation delete-stack --region us-east-1 --stack-name comfyui-compute, /],
    ['UPDATE_IN_PROGRESS', /comfyui-compute is UPDATE_IN_PROGRESS → wait: /],
  ])(
    'a stack that stands as %s is told what goes on from there',
    async (status, wanted) => {
      const done = { status: 'CREATE_COMPLETE', events: [] };
      account.stacks = { 'comfyui-stateful': done, 'comfyui-gpu-hosts': done };
      account.stacks['comfyui-compute'] = { status, events: [] };
      const { output } = await run({ ...env(), AWS_ENDPOINT_URL_CLOUDFORMATION: account.url });
      expect(line(output, 'stacks')).toMatch(wanted);
    },
    60_000,
  );

  test('that refuses to be looked at is told so, line by line', async () => {
    account.refuses = true;
    const { code, output } = await run(env());
    account.refuses = false;
    expect(code).toBe(1);
    expect(line(output, 'lambda concurrency')).toMatch(/^next .*not authorized to do this → /);
  }, 60_000);

  test('that does not answer keeps no line waiting for ever', async () => {
    account.silent = true;
    const { output } = await run(env());
    account.silent = false;
    expect(line(output, 'lambda concurrency')).toMatch(/^next .*(no answer within 15 s|it cannot be asked)/);
    expect(line(output, 'credentials')).toMatch(/^ok/);
  }, 60_000);
});
