// The functions as deployed: each bundle in Lambda's runtime client, with the environment that it has on AWS and the embedded
// DynamoDB and S3 in AWS's place; and the same tables and bucket from behind.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { inject } from 'vitest';
import { connect } from '../../functions/runtime/connect.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { type Storage, startStorage } from '../runtime/deployment.ts';
import { recorded, type HttpEvent } from './function-url.ts';
import { type Runtime, startRuntime } from './runtime-api.ts';

export const lacksRuntime = inject('runtimeClientLacks');
/** For the name of a block of tests. */
export const skipped = lacksRuntime && ` (skipped: no aws-lambda-ric here: ${lacksRuntime})`;

export type FunctionName = 'api' | 'forwarder' | 'controller' | 'webhooks';
export const bundleOf = (name: FunctionName) => join(packageRoot(), '.build', 'lambda', name);

export interface Deployment {
  storage: Storage;
  behind: ReturnType<typeof connect>;
  environment: Record<string, string>;
  start(name: FunctionName, environment?: Record<string, string>): Promise<Runtime>;
  close(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: 'alone', secretAccessKey: 'alone-secret' };
const { headers } = recorded('function-url-get') as HttpEvent;

/** @param dynamodbUrl of another DynamoDB than the embedded one */
export async function startDeployment(dynamodbUrl?: string, bucket = 'images'): Promise<Deployment> {
  const storage = await startStorage(bucket);
  const tablePrefix = `${randomUUID().slice(0, 8)}-`;
  const dynamodbEndpoint = dynamodbUrl ?? storage.dynamodbEndpoint;
  const { s3Endpoint } = storage;
  const behind = connect({
    region: 'local',
    dynamodbEndpoint,
    s3Endpoint,
    tablePrefix,
    bucket,
    credentials: CREDENTIALS,
  });
  await createTables(behind.store, tablePrefix);
  const environment = {
    AWS_REGION: 'local',
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    AWS_ENDPOINT_URL_S3: s3Endpoint,
    TABLE_PREFIX: tablePrefix,
    IMAGES_BUCKET: bucket,
    METRICS_NAMESPACE: 'comfyui',
    WORKFLOWS_PATH: join(bundleOf('api'), 'workflows'),
    ORIGIN_SECRET: headers['x-origin-secret']!,
    API_KEY: headers['x-api-key']!,
    AUTO_SCALING_GROUP: 'comfyui-gpu-hosts',
    MAX_HOSTS: '2',
    RELEASE: 'release-1',
  };
  const runtimes: Runtime[] = [];
  return {
    storage,
    behind,
    environment,
    async start(name, more = {}) {
      const runtime = await startRuntime(bundleOf(name), { ...environment, ...more });
      runtimes.push(runtime);
      return runtime;
    },
    async close() {
      await Promise.all(runtimes.map((runtime) => runtime.close()));
      behind.store.raw.destroy();
      await storage.close();
    },
  };
}

/** What a function measured, of the lines that it printed. */
export function metricsOf({ program }: Runtime): Record<string, unknown>[] {
  return program
    .output()
    .split('\n')
    .filter((line) => line.includes('"_aws"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
