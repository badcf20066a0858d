// The product as processes that know each other only by the table, the bucket and their addresses, as on AWS. A
// deployment has tables of its own. Ends only what it started.

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Child, startChild } from '../../functions/local/child.ts';
import { programOf } from '../../functions/local/programs.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { createLog } from '../../functions/log.ts';
import { connect } from '../../functions/runtime/connect.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { createTables } from '../../functions/store/dynamodb/create-tables.ts';
import { build, type Program, startProgram } from '../support/program.ts';

const CREDENTIALS = { accessKeyId: 'alone', secretAccessKey: 'alone-secret' };
const REGION = 'local';

/** The embedded DynamoDB and S3, each a process. */
export interface Storage {
  dynamodbEndpoint: string;
  s3Endpoint: string;
  directory: string;
  close(): Promise<void>;
}

/** @param bucket a name without a dot is a host name at AWS */
export async function startStorage(bucket = 'images'): Promise<Storage> {
  await build();
  const directory = await mkdtemp(join(tmpdir(), 'alone-'));
  const start = <Ready>(name: string, module: string, env: Record<string, string>): Promise<Child<Ready>> =>
    startChild(
      name,
      module,
      { PATH: process.env['PATH'], DIRECTORY: join(directory, name), ...env },
      createLog('test', 'error'),
      () => ({}),
    );
  const dynamodb = await start<{ port: number }>('dynamodb', programOf('dynamodb'), {});
  const s3 = await start<{ url: string }>('s3', join(packageRoot(), '.build', 's3.mjs'), {
    BUCKET: bucket,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  });
  return {
    dynamodbEndpoint: `http://127.0.0.1:${dynamodb.ready.port}`,
    s3Endpoint: s3.ready.url,
    directory,
    async close() {
      await Promise.all([dynamodb.stop(), s3.stop()]);
      await rm(directory, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

type Name = 'api' | 'forwarder' | 'controller' | 'host';

export interface DeployedHost {
  program: Program;
  comfyui: SimulatedComfyUI;
  workspace: string;
  hostId: string;
  /** Jobs that this ComfyUI was given. */
  posted(): number;
}

export interface Deployment {
  storage: Storage;
  /** The same tables and bucket, for looking behind the processes. */
  behind: ReturnType<typeof connect>;
  /** As it is told; it may end at once. */
  start(name: Name, env?: Record<string, string>): Program;
  /** Resolves with its address when it is ready. */
  up(program: Program): Promise<string>;
  addApi(env?: Record<string, string>): Promise<{ program: Program; url: string }>;
  addForwarder(): Promise<{ program: Program; url: string }>;
  addHost(comfyui?: SimulatedComfyUI): Promise<DeployedHost>;
  close(): Promise<void>;
}

const READY = /\{"ready":true[^\n]*\}\n/;

async function startDeployment(storage: Storage): Promise<Deployment> {
  const { dynamodbEndpoint, s3Endpoint, directory } = storage;
  const tablePrefix = `${randomUUID().slice(0, 8)}-`;
  const behind = connect({
    region: REGION,
    dynamodbEndpoint,
    s3Endpoint,
    tablePrefix,
    bucket: 'images',
    credentials: CREDENTIALS,
  });
  await createTables(behind.store, tablePrefix);
  const programs: Program[] = [];
  const simulated: SimulatedComfyUI[] = [];

  const readyOf = async (program: Program) =>
    JSON.parse((await program.until(READY))[0]) as { url: string; hostId: string };

  const deployment: Deployment = {
    storage,
    behind,
    start(name, env = {}) {
      const program = startProgram(name, {
        AWS_REGION: REGION,
        AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
        AWS_ENDPOINT_URL_S3: s3Endpoint,
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        TABLE_PREFIX: tablePrefix,
        API_PORT: '0',
        FORWARDER_PORT: '0',
        INTAKE_PORT: '0',
        WORKFLOWS_PATH: join(packageRoot(), 'test/bench/workflows'),
        ...env,
      });
      programs.push(program);
      return program;
    },
    up: async (program) => (await readyOf(program)).url,
    async addApi(env) {
      const program = deployment.start('api', env);
      return { program, url: await deployment.up(program) };
    },
    async addForwarder() {
      const program = deployment.start('forwarder');
      return { program, url: await deployment.up(program) };
    },
    async addHost(given) {
      const comfyui = given ?? (await startSimulatedComfyUI({ stepMs: 1 }));
      simulated.push(comfyui);
      const workspace = await mkdtemp(join(directory, 'host-'));
      const program = deployment.start('host', {
        COMFYUI_PORT: String(comfyui.port),
        WORKSPACE_PATH: workspace,
      });
      const { hostId } = await readyOf(program);
      const posted = () =>
        comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')).length;
      return { program, comfyui, workspace, hostId, posted };
    },
    async close() {
      for (const program of programs) program.stop();
      await Promise.all(programs.map(({ ended }) => ended));
      await Promise.all(simulated.map((comfyui) => comfyui.close()));
      behind.store.raw.destroy();
    },
  };
  return deployment;
}

/** Gives each test of a file a deployment, on storage that they share. @returns that of the test that runs */
export function deploymentForEach(): () => Deployment {
  let storage: Storage;
  let deployment: Deployment;
  beforeAll(async () => {
    storage = await startStorage();
  });
  afterAll(() => storage.close());
  beforeEach(async () => {
    deployment = await startDeployment(storage);
  });
  afterEach(() => deployment.close());
  return () => deployment;
}

/** Asks until the job is there; the limit is for a machine that does much besides. */
export async function untilStatus(url: string, jobId: string, wanted: string): Promise<JobStatus> {
  for (const giveUp = Date.now() + 30_000; ;) {
    const { body } = await statusOf(url, jobId);
    if (body['status'] === wanted) return body;
    if (Date.now() > giveUp) throw new Error(`not ${wanted}: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export type JobStatus = Record<string, unknown>;

export async function statusOf(url: string, jobId: string): Promise<{ code: number; body: JobStatus }> {
  const response = await fetch(`${url}/api/status/${jobId}`);
  return { code: response.status, body: (await response.json()) as JobStatus };
}

export function post(url: string, body: Record<string, unknown>, key?: string): Promise<Response> {
  return fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });
}

/** A job that takes ComfyUI so long; its id. @throws unless it is accepted */
export async function submit(url: string, ms: number): Promise<string> {
  const response = await post(url, { workflow: 'slow', ms });
  const answer = (await response.json()) as { job_id: string };
  if (response.status !== 202) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
  return answer.job_id;
}
