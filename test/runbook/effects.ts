// What a command that changes something leaves, as the pages say it: the Auto Scaling group, parameters, tables, buckets.

import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { expect } from 'vitest';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { tables } from '../../functions/store/tables.ts';
import type { Moto } from '../support/moto.ts';
import { ACCOUNT, AMI, OTHER, REGION } from './deployment.ts';

interface Effect {
  of: RegExp;
  given?(clients: Clients): Promise<void>;
  leaves(clients: Clients): Promise<void>;
}

/** What is left of it, for those that change something; all others must show something. */
const EFFECTS: Effect[] = [
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

export const effectOf = (text: string) => EFFECTS.find(({ of }) => of.test(text));

export type Clients = ReturnType<typeof clientsOf>;

export function clientsOf(moto: Moto) {
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
