// `npm run models -- seed --in-region` as a process, on moto's EC2; what the machine would run runs here, from its bundle.

import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeInstancesCommand, EC2Client, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { openBucket } from '../../functions/models/bucket.ts';
import { readSeeding } from '../../functions/models/seed-order.ts';
import { FLUX2 } from '../../functions/models/wanted.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { startStandInHub } from '../models/hub.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';
import { build, startCommand } from '../support/program.ts';

const region = 'us-east-1';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const BUCKET = 'comfyui-models';
const TOKEN = { Name: '/comfyui/hub-token', Value: 'hf_x', Type: 'SecureString' } as const;
const STATEFUL = {
  Resources: { Models: { Type: 'AWS::S3::Bucket', Properties: { BucketName: BUCKET } } },
  Outputs: { ModelsBucket: { Value: { Ref: 'Models' } } },
};
/** As infra makes them: test/infra/gpu-hosts.test.ts. */
const NAME = 'comfyui-models-seeder';
const GPU_HOSTS = {
  Resources: {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
    Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: '10.0.0.0/24' } },
    Template: {
      Type: 'AWS::EC2::LaunchTemplate',
      Properties: {
        LaunchTemplateName: NAME,
        LaunchTemplateData: {
          ImageId: 'ami-12c6146b',
          InstanceType: 'c7i.xlarge',
          TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: NAME }] }],
        },
      },
    },
  },
  Outputs: { SeedSubnet: { Value: { Ref: 'Subnet' } } },
};

describe.skipIf(!hasMoto)(`seed --in-region${hasMoto ? '' : ' (skipped: no moto_server)'}`, () => {
  let moto: Moto;
  let ec2: EC2Client;
  let cloud: CloudFormationClient;
  let env: Record<string, string>;
  beforeAll(async () => {
    [moto] = await Promise.all([startMoto(), build()]);
    const settings = { endpoint: moto.url, region, credentials };
    ec2 = new EC2Client(settings);
    cloud = new CloudFormationClient(settings);
    env = {
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL: moto.url,
      AWS_ENDPOINT_URL_S3: moto.url,
      AWS_ENDPOINT_URL_SSM: moto.url,
    };
  }, 90_000);
  afterAll(() => moto?.close());
  beforeEach(async () => {
    await moto.reset();
    const ssm = new SSMClient({ endpoint: moto.url, region, credentials });
    await ssm.send(new PutParameterCommand(TOKEN));
    for (const [StackName, template] of [
      ['comfyui-stateful', STATEFUL],
      ['comfyui-gpu-hosts', GPU_HOSTS],
    ] as const)
      await cloud.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
  });

  const start = (...args: string[]) =>
    startCommand(process.execPath, [join(packageRoot(), '.build/models.mjs'), ...args], env);
  const seed = (...more: string[]) =>
    start('seed', '--in-region', '--accept-licence', '--every', '0.05', ...more);
  const ended = async (...args: string[]) => {
    const program = start(...args);
    return [await program.ended, program.output()];
  };
  const instances = async () =>
    (await ec2.send(new DescribeInstancesCommand({}))).Reservations!.flatMap(({ Instances }) => Instances!);
  const end = (id: string) => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));

  test('a machine is started where the deployment says, and followed until it has ended', async () => {
    const hub = await startStandInHub(
      Object.fromEntries(FLUX2.files.map(({ path }) => [path, Buffer.from(path)])),
    );
    hub.token = 'hf_x';
    try {
      const program = seed();
      const [, id] = await program.until(/(i-\w+) seeds s3:\/\/comfyui-models and ends itself/);
      const [machine] = await instances();
      const { Stacks } = await cloud.send(new DescribeStacksCommand({ StackName: 'comfyui-gpu-hosts' }));
      expect(machine).toMatchObject({
        InstanceId: id,
        InstanceType: 'c7i.xlarge',
        SubnetId: Stacks![0]!.Outputs![0]!.OutputValue,
      });
      const other = seed();
      await other.until(new RegExp(`${id} is at it already`));

      const own = startCommand(
        process.execPath,
        [join(packageRoot(), '.build/pull-models.mjs'), 'seed', '--accept-licence'],
        {
          ...env,
          AWS_REGION: region,
          MODELS_BUCKET: BUCKET,
          HUB_TOKEN_PARAMETER: TOKEN.Name,
          HF_ENDPOINT: hub.url,
        },
      );
      expect([await own.ended, own.output()]).toEqual([0, expect.stringContaining('4 models, ')]);
      await end(id!);

      for (const one of [program, other]) {
        expect([await one.ended, one.output()]).toEqual([
          0,
          expect.stringMatching(
            /has ended after 1 minutes?, about \$0\.0\d \(c7i\.xlarge in us-east-1\)\nall models are in s3:\/\/comfyui-models; hosts that start now take them\n$/,
          ),
        ]);
      }
      expect(await instances()).toHaveLength(1);
    } finally {
      await hub.close();
    }
  }, 60_000);

  test('of two starts in the same second one starts a machine, and the other joins it', async () => {
    const both = [seed(), seed()];
    const ids = await Promise.all(
      both.map(async (one) => (await one.until(/^(i-\w+) (?:seeds|is at it already)/m))[1]),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await instances()).toHaveLength(1);
    await end(ids[0]!);
    await Promise.all(both.map(({ ended: over }) => over));
  }, 60_000);

  test("a list of one's own is in the bucket for the machine, and no other joins it", async () => {
    const folder = await mkdtemp(join(tmpdir(), 'in-region-'));
    const list = { ...FLUX2, files: FLUX2.files.slice(0, 1) };
    await writeFile(join(folder, 'list.json'), JSON.stringify(list));
    const program = seed('--list', join(folder, 'list.json'));
    const [, id] = await program.until(/(i-\w+) seeds/);
    const bucket = openBucket(createS3Client({ endpoint: moto.url, region, credentials }), BUCKET);
    expect((await readSeeding(bucket))?.seeding.wanted).toEqual(list);
    const other = seed();
    expect([await other.ended, other.output()]).toEqual([
      1,
      expect.stringContaining(`${id} seeds other models`),
    ]);
    await end(id!);
    await program.ended;
    await rm(folder, { recursive: true });
  }, 60_000);

  test('one that ends without the models is said, with what its console had last', async () => {
    const program = seed();
    const [, id] = await program.until(/(i-\w+) seeds/);
    await end(id!);
    expect(await program.ended).toBe(1);
    // Of moto's console.
    expect(program.output()).toContain('Linux version');
    expect(program.output()).toMatch(
      /The seed did not end well: s3:\/\/comfyui-models has no manifest\.json, which is written last\. The same command goes on where it ended\n$/,
    );
  }, 60_000);

  test('Ctrl-C leaves it running, after the command that looks at it', async () => {
    const program = seed();
    const [, id] = await program.until(/--latest .*--instance-id (i-\w+)/);
    program.signal('SIGINT');
    await program.ended;
    expect(await instances()).toEqual([
      expect.objectContaining({ InstanceId: id, State: expect.objectContaining({ Name: 'running' }) }),
    ]);
  }, 60_000);

  test('what cannot be is refused in a sentence, and nothing is started', async () => {
    expect(await ended('seed', '--in-region')).toEqual([
      1,
      expect.stringContaining('These models come under the FLUX non-commercial licence'),
    ]);
    expect(await ended('list', '--in-region')).toEqual([
      1,
      'list takes no --in-region: it is a flag of seed\n',
    ]);
    expect(await ended('seed', '--in-region', '--accept-licence', '--bucket', 'b')).toEqual([
      1,
      "--in-region takes no --bucket: the deployment's machine has its own\n",
    ]);
    expect(await ended('seed', '--in-region', '--accept-licence', '--every', 'now')).toEqual([
      1,
      '--every must be a number from 0.001 to 3600; it is "now"\n',
    ]);
    await cloud.send(new DeleteStackCommand({ StackName: 'comfyui-gpu-hosts' }));
    expect(await ended('seed', '--in-region', '--accept-licence')).toEqual([
      1,
      'There is no stack comfyui-gpu-hosts in us-east-1 that says SeedSubnet; npm run deploy\n',
    ]);
    expect(await instances()).toEqual([]);
  }, 60_000);
});
