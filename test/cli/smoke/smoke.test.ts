// `npm run smoke` as a process: against `npm start`, to the last line, and against a deployment that moto's server stands
// for, broken off by a signal. Through an endpoint as AWS's: test/lambda/smoke.test.ts.

import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createStoreClient, engineOf } from '../../../functions/store/dynamodb/client.ts';
import { createTables } from '../../../functions/store/dynamodb/create-tables.ts';
import { createJobs } from '../../../functions/store/jobs.ts';
import { createKeys } from '../../../functions/store/keys.ts';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../../functions/images/s3/client.ts';
import { hasMoto, type Moto, startMoto } from '../../support/moto.ts';
import { LOST, SIGNED_IN, UNREACHABLE } from '../../support/no-aws.ts';
import { build, type Program, startProgram } from '../../support/program.ts';

let folder: string;
let programs: Program[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoke-'));
  await build();
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
afterEach(async () => {
  for (const program of programs) program.stop();
  await Promise.all(programs.map(({ ended }) => ended));
  programs = [];
});

function start(name: 'local' | 'api' | 'smoke', env: Record<string, string>, args: string[] = []): Program {
  const program = startProgram(
    name,
    { HOME: folder, WORKSPACE_PATH: join(folder, 'workspace'), ...env },
    args,
  );
  programs.push(program);
  return program;
}

test('an API that runs here is found, passes, and keeps nothing of it', async () => {
  const local = start('local', {
    API_PORT: '0',
    COMFYUI_MODE: 'simulated',
    SIMULATED_STEP_MS: '5',
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  const [, url] = await local.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/);
  const smoke = start('smoke', {}, ['--minutes', '1']);
  const code = await smoke.ended;
  const lines = smoke.output().split('\n');
  expect(lines.filter((line) => line.startsWith('next'))).toEqual([]);
  expect(lines[0]).toBe(`The API at ${url}, for at most 1 minutes`);
  expect(lines).toContainEqual(expect.stringMatching(/^ok {4}webhook +arrived here, and is signed$/));
  expect(lines).toContainEqual(expect.stringMatching(/^– {5}other owners +the API was asked without a key$/));
  expect(code).toBe(0);
  const history = (await (await fetch(`${url}/api/history`)).json()) as { total_items: number };
  const uploads = (await (await fetch(`${url}/api/uploads`)).json()) as { uploads: unknown[] };
  expect([history.total_items, uploads.uploads]).toEqual([0, []]);
}, 90_000);

test('without an API it says what to do', async () => {
  const smoke = start('smoke', { WORKSPACE_PATH: join(folder, 'none') });
  expect(await smoke.ended).toBe(1);
  expect(smoke.output()).toMatch(/^.*npm start, .* --url, .* --deployed\n$/);
}, 30_000);

test('what is no such API is one line', async () => {
  const smoke = start('smoke', {}, ['--url', 'http://127.0.0.1:1']);
  expect(await smoke.ended).toBe(1);
  expect(smoke.output().split('\n').slice(1, 2)).toEqual([
    expect.stringMatching(/^next {2}api +GET \/api\/health: no whole answer \(/),
  ]);
}, 30_000);

test.each<[string, Record<string, string>, RegExp]>([
  ['no credentials', LOST, /^next {2}deployment +no AWS credentials were found\n +→ aws configure sso /],
  [
    'no network',
    { ...SIGNED_IN, ...UNREACHABLE },
    /^next {2}deployment +it cannot be asked \(Error: connect ECONNREFUSED 127.0.0.1:9\)\n +→ check the network/,
  ],
])(
  'a deployment is one line and exit code 1 with %s',
  async (_, env, wanted) => {
    const smoke = start('smoke', env, ['--deployed']);
    expect([await smoke.ended, smoke.output()]).toEqual([1, expect.stringMatching(wanted)]);
  },
  30_000,
);

test('credentials that have expired are one line', async () => {
  const sts = createServer((_request, response) => {
    const error = '<Error><Code>ExpiredToken</Code><Message>The security token has expired</Message></Error>';
    response.writeHead(403, { 'content-type': 'text/xml' }).end(`<ErrorResponse>${error}</ErrorResponse>`);
  });
  await new Promise<void>((resolve) => {
    sts.listen(0, '127.0.0.1', resolve);
  });
  const AWS_ENDPOINT_URL = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
  const smoke = start('smoke', { ...SIGNED_IN, AWS_ENDPOINT_URL }, ['--deployed']);
  expect([await smoke.ended, smoke.output()]).toEqual([
    1,
    expect.stringMatching(/^next {2}deployment +the credentials have expired\n +→ aws sso login/),
  ]);
  sts.close().closeAllConnections();
}, 30_000);

test('a place that cannot be is refused before AWS is asked', async () => {
  const smoke = start('smoke', SIGNED_IN, ['--deployed', '--region', 'us east']);
  expect([await smoke.ended, smoke.output()]).toEqual([
    1,
    '--region must be one of AWS\'s regions, such as us-east-1; it is "us east"\n',
  ]);
}, 30_000);

describe.skipIf(!hasMoto)(`a deployment${hasMoto ? '' : ' (skipped: no moto_server)'}`, () => {
  const region = 'us-east-1';
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
  }, 90_000);
  afterAll(() => moto?.close());

  const environment = () => ({
    AWS_ENDPOINT_URL: moto.url,
    AWS_ENDPOINT_URL_DYNAMODB: moto.url,
    AWS_ENDPOINT_URL_S3: moto.url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    TABLE_PREFIX: 'far-',
  });

  async function stack(name: string, outputs: Record<string, string>): Promise<void> {
    const client = new CloudFormationClient({ endpoint: moto.url, region, credentials });
    const template = {
      Resources: { Topic: { Type: 'AWS::SNS::Topic' } },
      Outputs: Object.fromEntries(Object.entries(outputs).map(([key, Value]) => [key, { Value }])),
    };
    await client.send(
      new CreateStackCommand({ StackName: `far-${name}`, TemplateBody: JSON.stringify(template) }),
    );
  }

  test('is found by its stacks; a signal removes what was made, and the keys that were drawn', async () => {
    const store = createStoreClient({ endpoint: moto.url, region, credentials });
    await createTables(store, 'far-');
    await createS3Client({ endpoint: moto.url, region, credentials }).send(
      new CreateBucketCommand({ Bucket: 'images' }),
    );
    const api = start('api', { ...environment(), API_PORT: '0', API_KEYS: 'required' });
    const [, ready] = await api.until(/(\{"ready":true[^\n]*\})\n/);
    const { url } = JSON.parse(ready!) as { url: string };
    await stack('stateful', { TablePrefix: 'far-', ModelsBucket: 'models' });
    await stack('gpu-hosts', { AutoScalingGroup: 'far-gpu-hosts' });
    await stack('compute', { Url: url, ApiKeyCommand: 'aws' });

    const smoke = start('smoke', environment(), ['--deployed', '--name', 'far', '--region', region]);
    await smoke.until(/^ok {4}upload/m);
    const keys = createKeys(engineOf(store, 'far-'));
    expect((await keys.list()).map(({ owner }) => owner).sort()).toEqual(['smoke', 'smoke-other']);
    // No host runs: its images would not come.
    smoke.signal('SIGINT');
    expect(await smoke.ended).toBe(130);
    expect(smoke.output()).toMatch(
      /^ok {4}other owners +another's job is 404, and its owner's own all the same$/m,
    );
    expect(smoke.output()).toMatch(/^ok {4}nothing left/m);
    expect(await keys.list()).toEqual([]);
    expect(await createJobs(engineOf(store, 'far-')).listWork('waiting', 10)).toEqual([]);
    store.raw.destroy();
  }, 90_000);
});
