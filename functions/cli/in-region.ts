// `npm run models -- seed --in-region`: starts the deployment's seeding machine or joins the one that runs, and prints its
// console until it has terminated. The bucket, not the machine, decides whether the models are there.

import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeInstancesCommand,
  EC2Client,
  GetConsoleOutputCommand,
  type Instance,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ModelBucket } from '../models/bucket.ts';
import { MANIFEST_KEY, readManifest } from '../models/manifest.ts';
import { ModelsProblem } from '../models/problem.ts';
import { readSeeding, writeSeeding } from '../models/seed-order.ts';
import { hubTokenParameter, tokenFrom } from '../models/token.ts';
import { verifyFile } from '../models/verify.ts';
import type { Wanted } from '../models/wanted.ts';

export interface InRegion {
  /** The deployment's name. */
  name: string;
  region: string;
  /** Polling interval, ms. */
  every: number;
  wanted: Wanted;
  openBucket(name: string): ModelBucket;
  say(line: string): void;
}

/** Of a c7i.xlarge in us-east-1 (price list, November 2026); other regions differ. */
const USD_PER_HOUR = 0.1785;
/** The seeder's own lines in the console. */
const OURS = /comfyui-(?:models|host): .*/;
/** Lines of the console's end that an error shows. */
const LAST_LINES = 15;

/** @throws ModelsProblem */
export async function seedInRegion({
  name,
  region,
  every,
  wanted,
  openBucket,
  say,
}: InRegion): Promise<void> {
  const cloud = new CloudFormationClient({ region });
  const bucketName = await outputOf(cloud, region, `${name}-stateful`, 'ModelsBucket');
  const subnet = await outputOf(cloud, region, `${name}-gpu-hosts`, 'SeedSubnet');
  const ec2 = new EC2Client({ region });
  const ssm = new SSMClient({ region });
  const launchTemplateName = `${name}-models-seeder`;
  const started = Date.now();
  const bucket = openBucket(bucketName);
  await tokenFrom(ssm, hubTokenParameter(name));
  const instance = await joinOrStart({ ec2, bucket, launchTemplateName, subnet, wanted, region, say });
  const id = instance.InstanceId!;
  const poll = `aws ec2 get-console-output --latest --output text --region ${region} --instance-id ${id}`;
  say(`Ctrl-C leaves it running; the same command joins it again, and its console is: ${poll}`);

  const text = await untilEnded(ec2, id, every, say);
  const hours = (Date.now() - (instance.LaunchTime?.getTime() ?? started)) / 3_600_000;
  say(
    `${id} has ended after ${Math.ceil(hours * 60)} minutes, about $${(hours * USD_PER_HOUR).toFixed(2)} (c7i.xlarge in us-east-1)`,
  );
  const lacking = await whatLacks(bucket, wanted);
  if (lacking === undefined)
    return say(`all models are in s3://${bucketName}; hosts that start now take them`);
  const last = text.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
  throw new ModelsProblem(
    `${last}\nThe seed did not end well: ${lacking}. The same command goes on where it ended`,
  );
}

async function outputOf(
  cloud: CloudFormationClient,
  region: string,
  StackName: string,
  key: string,
): Promise<string> {
  const stacks = await cloud.send(new DescribeStacksCommand({ StackName })).then(
    ({ Stacks }) => Stacks ?? [],
    (error: unknown) => {
      if (/does not exist/.test(String(error))) return [];
      throw error;
    },
  );
  const value = stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
  if (value !== undefined) return value;
  throw new ModelsProblem(`There is no stack ${StackName} in ${region} that says ${key}; npm run deploy`);
}

interface Start {
  ec2: EC2Client;
  bucket: ModelBucket;
  launchTemplateName: string;
  subnet: string;
  wanted: Wanted;
  region: string;
  say(line: string): void;
}

/** How long EC2 may not list a machine that was started, ms. */
const STARTS_FOR = 60_000;

/** One machine at a time: two would upload the same parts. @throws ModelsProblem */
async function joinOrStart({
  ec2,
  bucket,
  launchTemplateName,
  subnet,
  wanted,
  region,
  say,
}: Start): Promise<Instance> {
  let waits = false;
  for (;;) {
    const last = await readSeeding(bucket);
    const found = await atIt(ec2, launchTemplateName);
    if (found && last && !isDeepStrictEqual(last.seeding.wanted, wanted))
      throw new ModelsProblem(
        `${found.InstanceId} seeds other models; wait until it has ended, or end it: aws ec2 terminate-instances --region ${region} --instance-ids ${found.InstanceId}`,
      );
    if (found) {
      say(`${found.InstanceId} is at it already`);
      return found;
    }
    const since = Date.now() - (last?.seeding.startedAt ?? 0);
    if (since >= 0 && since < STARTS_FOR) {
      if (!waits)
        say(`One was started ${Math.round(since / 1000)} s ago; looking for it, for a minute at most`);
      waits = true;
      await sleep(Math.min(1000, STARTS_FOR - since));
    } else if (await writeSeeding(bucket, wanted, Date.now(), last?.etag)) {
      const own = await start(ec2, launchTemplateName, subnet).catch(async (error: unknown) => {
        // The next caller then does not wait for a machine that was not started.
        await writeSeeding(bucket, wanted, 0, (await readSeeding(bucket))?.etag);
        throw error;
      });
      say(`${own.InstanceId} seeds s3://${bucket.name} and ends itself, after four hours at the latest`);
      return own;
    }
  }
}

async function atIt(ec2: EC2Client, launchTemplateName: string): Promise<Instance | undefined> {
  const { Reservations } = await ec2.send(
    new DescribeInstancesCommand({
      Filters: [
        { Name: 'tag:Name', Values: [launchTemplateName] },
        { Name: 'instance-state-name', Values: ['pending', 'running', 'shutting-down'] },
      ],
    }),
  );
  return Reservations?.[0]?.Instances?.[0];
}

async function start(ec2: EC2Client, LaunchTemplateName: string, SubnetId: string): Promise<Instance> {
  try {
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        // A changed template keeps its first version as the default one.
        LaunchTemplate: { LaunchTemplateName, Version: '$Latest' },
        SubnetId,
        MinCount: 1,
        MaxCount: 1,
      }),
    );
    return Instances![0]!;
  } catch (error) {
    throw new ModelsProblem(`The machine for it cannot be started: ${(error as Error).message}`);
  }
}

/** @returns the console's last known text */
async function untilEnded(ec2: EC2Client, id: string, every: number, say: InRegion['say']): Promise<string> {
  const said = new Set<string>();
  let text = '';
  for (;;) {
    const state = await stateOf(ec2, id);
    text = (await consoleOf(ec2, id, state === 'running')) ?? text;
    for (const line of text.split('\n')) {
      const ours = OURS.exec(line)?.[0].trimEnd();
      if (ours === undefined || said.has(ours)) continue;
      said.add(ours);
      say(ours);
    }
    if (state === 'terminated') return text;
    await sleep(every);
  }
}

async function stateOf(ec2: EC2Client, id: string): Promise<string> {
  try {
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    return Reservations?.[0]?.Instances?.[0]?.State?.Name ?? 'terminated';
  } catch (error) {
    // EC2's reads are eventually consistent: a machine that was just started may not be found yet.
    if ((error as Error).name === 'InvalidInstanceID.NotFound') return 'pending';
    throw error;
  }
}

/** @param running true: the console as it is now; false: as EC2 kept it at the end. @returns undefined if there is none yet */
async function consoleOf(ec2: EC2Client, InstanceId: string, running: boolean): Promise<string | undefined> {
  const { Output } = await ec2.send(
    new GetConsoleOutputCommand({ InstanceId, ...(running && { Latest: true }) }),
  );
  return Output ? Buffer.from(Output, 'base64').toString() : undefined;
}

/** Why the bucket is incomplete; undefined: it has all wanted models. */
async function whatLacks(bucket: ModelBucket, wanted: Wanted): Promise<string | undefined> {
  const found = await bucket.readJson(MANIFEST_KEY);
  if (found === undefined) return `s3://${bucket.name} has no ${MANIFEST_KEY}, which is written last`;
  const { files } = readManifest(found, bucket.name);
  for (const { folder, filename } of wanted.files) {
    const file = files.find((one) => one.folder === folder && one.filename === filename);
    const finding = file ? await verifyFile(bucket, file, false) : 'not in the manifest';
    if (finding !== 'ok') return `${folder}/${filename} is ${finding}`;
  }
  return undefined;
}
