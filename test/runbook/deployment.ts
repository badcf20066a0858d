// A deployment on moto's server, made from the templates themselves, so that what the pages name is what infra makes;
// beside it another whose name begins the same. Only types that a person's commands touch are made: for what is asked of
// all others stands a text.

import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Template } from 'aws-cdk-lib/assertions';
import { join } from 'node:path';
import { UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { createStoreClient, engineOf } from '../../functions/store/dynamodb/client.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { createFleetStore } from '../../functions/store/fleet.ts';
import type { Resource, Templates } from '../infra/synth.ts';
import type { Moto } from '../support/moto.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '123456789012';
/** One that moto knows. */
export const AMI = 'ami-12c6146b';
export const AMI_PARAMETER = '/test/ami';
/** A deployment of somebody else. */
export const OTHER = 'comfyui-two';
const JOB_ID = '0b2fa9e8-6a3e-4c7e-9f1d-3a5c1f0e7d42';

const TYPES = new Set([
  'AWS::AutoScaling::AutoScalingGroup',
  'AWS::DynamoDB::Table',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::LaunchTemplate',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPC',
  'AWS::Events::Rule',
  'AWS::IAM::InstanceProfile',
  'AWS::IAM::Role',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SQS::Queue',
]);

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

export interface Deployment {
  /** What stands in a command for what only this deployment knows. */
  names: Record<string, string>;
  env: Record<string, string>;
}

export async function createDeployment(moto: Moto, templates: Templates, home: string): Promise<Deployment> {
  await moto.reset();
  const settings = { endpoint: moto.url, region: REGION, credentials };
  const ssm = new SSMClient(settings);
  await ssm.send(new PutParameterCommand({ Name: AMI_PARAMETER, Value: AMI, Type: 'String' }));

  const cloud = new CloudFormationClient(settings);
  for (const [room, template] of Object.entries(templates) as [string, Template][]) {
    const StackName = `comfyui-${room.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    await cloud.send(
      new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(whatIsTouched(template)) }),
    );
  }
  const compute = await cloud.send(new DescribeStackResourcesCommand({ StackName: 'comfyui-compute' }));
  const queue = compute.StackResources!.find(({ ResourceType }) => ResourceType === 'AWS::SQS::Queue')!;

  const hosts = await cloud.send(new DescribeStackResourcesCommand({ StackName: 'comfyui-gpu-hosts' }));
  const subnet = hosts.StackResources!.find(({ ResourceType }) => ResourceType === 'AWS::EC2::Subnet')!;
  const { KeyMetadata } = (await call(moto, 'kms', 'TrentService.CreateKey', {})) as {
    KeyMetadata: { Arn: string };
  };

  const scaling = new AutoScalingClient(settings);
  const AutoScalingGroupName = 'comfyui-gpu-hosts';
  // As the template's custom resource does.
  await scaling.send(
    new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: ['AZRebalance'] }),
  );
  await scaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName, DesiredCapacity: 2 }));
  const { AutoScalingGroups } = await scaling.send(new DescribeAutoScalingGroupsCommand({}));

  const store = createStoreClient(settings);
  const now = Date.now();
  await createFleetStore(engineOf(store, 'comfyui-')).write({
    ...UNKNOWN_FLEET,
    updatedAt: now,
    blocked: { reason: 'quota', since: now } as never,
  });
  await createTables(store, `${OTHER}-`);
  const s3 = createS3Client(settings);
  await s3.send(new CreateBucketCommand({ Bucket: `${OTHER}-images-${ACCOUNT}-${REGION}` }));
  const Bucket = `comfyui-models-${ACCOUNT}-${REGION}`;
  for (const Key of ['archives/comfyui-0.33.0.tar.zst', 'models/manifest.json'])
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: '{}' }));

  const INSTANCE = AutoScalingGroups![0]!.Instances![0]!.InstanceId!;
  for (const service of ['api', 'forwarder', 'controller', 'webhooks'])
    await logLine(moto, `/comfyui/${service}`, service, now);
  await logLine(moto, '/comfyui/gpu-hosts', INSTANCE, now);
  await call(moto, 'sqs', 'AmazonSQS.SendMessage', {
    QueueUrl: queue.PhysicalResourceId,
    MessageBody: '{"requestContext":{}}',
  });

  return {
    names: {
      ACCOUNT,
      REGION,
      AMI,
      INSTANCE,
      JOB_ID,
      MODELS_BUCKET: Bucket,
      QUEUE_URL: queue.PhysicalResourceId!,
      NAME: 'alice',
      START: new Date(now - 3_600_000).toISOString(),
      END: new Date(now).toISOString(),
      SUBNET: subnet.PhysicalResourceId!,
      KEY_ARN: KeyMetadata.Arn,
      TOKEN: 'hf_test',
    },
    env: {
      HOME: home,
      AWS_REGION: REGION,
      AWS_PAGER: '',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
      CDK_OUTDIR: join(home, 'cdk.out'),
      // moto finds CloudFormation's templates at localhost, CDK's S3 client its buckets at an address.
      AWS_ENDPOINT_URL: moto.url.replace('127.0.0.1', 'localhost'),
      AWS_ENDPOINT_URL_S3: moto.url,
    },
  };
}

function whatIsTouched(template: Template): object {
  const { Resources, Outputs } = template.toJSON() as {
    Resources: Record<string, Resource & { DependsOn?: unknown }>;
    Outputs?: object;
  };
  const made = Object.entries(Resources).filter(([, { Type }]) => TYPES.has(Type));
  const isMade = (id: unknown) =>
    typeof id === 'string' && (id.startsWith('AWS::') || made.some(([name]) => name === id));
  const cut = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(cut);
    if (typeof value !== 'object' || value === null) return value;
    const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: string[] };
    if ('Fn::GetStackOutput' in value) return 'of another stack';
    if (Ref !== undefined && !isMade(Ref)) return Ref;
    if (attribute !== undefined && !isMade(attribute[0]))
      return attribute[1] === 'Arn'
        ? `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${attribute[0]}`
        : attribute.join('.');
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, cut(one)]));
  };
  return {
    Resources: Object.fromEntries(
      made.map(([id, { DependsOn: _order, ...resource }]) => [id, cut(resource)]),
    ),
    ...(Outputs && { Outputs: cut(Outputs) }),
  };
}

async function logLine(moto: Moto, logGroupName: string, logStreamName: string, now: number): Promise<void> {
  await call(moto, 'logs', 'Logs_20140328.CreateLogStream', { logGroupName, logStreamName });
  const message = JSON.stringify({ level: 'error', event: 'table.write_failed', jobId: JOB_ID });
  await call(moto, 'logs', 'Logs_20140328.PutLogEvents', {
    logGroupName,
    logStreamName,
    logEvents: [{ timestamp: now - 60_000, message }],
  });
}

/** moto takes the service from the signature's scope, and checks none. */
async function call(moto: Moto, service: string, target: string, body: object): Promise<unknown> {
  const response = await fetch(moto.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${target}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
