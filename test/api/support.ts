// What the API's tests share: requests that give back status, headers and JSON, what is stored, and items put
// directly where making them would take long. Starts nothing.

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ApiApp, ApiDeps } from '../../functions/api/deps.ts';
import type { JobImage, JobState, Status } from '../../functions/core/job.ts';
import { imageName, jobIdFrom, listOrder, ownerOrder, workOrder } from '../../functions/core/names.ts';
import type { Graph } from '../../functions/core/object-info.ts';
import type { Staging } from '../../functions/core/render.ts';
import { type JobRequest, packGraph } from '../../functions/core/request.ts';
import type { Jobs } from '../../functions/store/jobs.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import type { Rig } from '../support/rig.ts';
import { appWith } from '../support/app.ts';

export type Json = Record<string, unknown>;

export interface Answer<Body = Json> {
  status: number;
  headers: Headers;
  json: Body;
}

export interface Asked {
  json?: unknown;
  body?: RequestInit['body'];
  headers?: Record<string, string>;
}

/** One request to the app. An answer that is no JSON fails the test. */
export async function call<Body = Json>(
  app: Pick<Rig['app'], 'request'>,
  route: string,
  { json, body, headers }: Asked = {},
): Promise<Answer<Body>> {
  const [method, path] = route.split(' ') as [string, string];
  const answer = await app.request(path, {
    method,
    headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as Body };
}

export { SETTINGS } from '../support/app.ts';

/** Another process on the same tables and bucket, of which some parts are as given. */
export function anotherProcess(
  { store, images, templates, log, timings }: Rig,
  parts: Partial<ApiDeps>,
): ApiApp {
  return appWith({ ...store, images, workflows: { templates, refused: [] }, log, timings, ...parts });
}

/** Rejects after `limit` ms. */
export async function eventually<T>(
  what: string,
  poll: () => Promise<T | undefined | false>,
  limit = 10_000,
): Promise<T> {
  const giveUp = Date.now() + limit;
  for (;;) {
    const found = await poll();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > giveUp) throw new Error(`${what} did not come within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** Items of the table and objects in the bucket, inventories of hosts left out. */
export async function countStored({ store, images }: Rig): Promise<{ items: number; objects: number }> {
  const items = (await store.engine.table(jobsTable).readAll(true)).length;
  let objects = 0;
  for await (const { key } of images.list('')) if (!key.startsWith('inventories/')) objects += 1;
  return { items, objects };
}

export interface PutJob {
  /** Else `local`. */
  owner?: string;
  createdAt?: number;
  status?: Status;
  /** How many images it made. */
  images?: number;
  graph?: Graph;
  /** The images that it reads. */
  staging?: Staging[];
  /** Whose socket hears of it, on ComfyUI's wire. */
  clientId?: string;
  state?: Partial<JobState>;
  request?: Partial<JobRequest>;
}

/** A job as the API and the hosts would have left it, put directly. */
export async function putJob(rig: Rig, job: PutJob = {}): Promise<string> {
  return (await putJobs(rig, [job]))[0]!;
}

const PUT_AT_ONCE = 200;

/** Many of them; the ids in the same order. */
export async function putJobs(rig: Rig, wanted: PutJob[]): Promise<string[]> {
  const jobs = wanted.map((job) => itemsOf(rig, job));
  const items = jobs.flatMap(({ request, state }) => [request, state]);
  const table = rig.store.engine.table(jobsTable);
  // dynalite takes no more at once.
  for (let at = 0; at < items.length; at += PUT_AT_ONCE)
    await Promise.all(items.slice(at, at + PUT_AT_ONCE).map((item) => table.put(item)));
  return jobs.map(({ state }) => state.jobId);
}

function itemsOf({ store, templates }: Rig, job: PutJob) {
  const { createdAt = store.now(), status = 'queued', images = 0, owner = 'local' } = job;
  const jobId = jobIdFrom({ random: randomBytes(16) });
  const template = templates.get('flux2_turbo_default')!;
  const common = { v: 1, jobId, owner, expiresAt: Math.ceil(createdAt / 1000) + 86_400 };
  const request = {
    ...common,
    part: 'request',
    workflow: template.name,
    inputs: { prompt: 'put directly', seed: 1, steps: 4 },
    notes: [],
    bodyHash: '',
    staging: job.staging ?? [],
    graph: packGraph(job.graph ?? template.graph),
    ...(job.clientId !== undefined && {
      wire: { extraData: gzipSync(JSON.stringify({ client_id: job.clientId })), outputs: [] },
    }),
    ...job.request,
  };
  const waits = status === 'queued' || status === 'processing';
  const state = {
    ...common,
    part: 'state',
    status,
    attempt: waits ? 0 : 1,
    lostAttempts: 0,
    ...(waits ? { work: 'waiting' } : { endedAt: createdAt + 1 }),
    workOrder: workOrder(createdAt, 0, jobId, owner),
    ownerOrder: ownerOrder(createdAt, jobId),
    ...((status === 'completed' || status === 'failed') && {
      listOrder: listOrder(status, ownerOrder(createdAt, jobId), status === 'completed' ? images : 0),
    }),
    createdAt,
    progress: status === 'completed' ? 1 : 0,
    currentStep: 0,
    totalSteps: 4,
    ...(status === 'completed' ? { images: imagesOf(jobId, images) } : {}),
    ...job.state,
  };
  return { request, state };
}

function imagesOf(jobId: string, count: number): JobImage[] {
  return Array.from({ length: count }, (_, index) => ({
    filename: imageName('Flux2_Turbo', jobId, index + 1, 'png'),
    node: '11',
    width: 256,
    height: 256,
    sizeBytes: 10,
    contentType: 'image/png',
  }));
}

/** The tables of a process that dies, or whose table fails, between the two parts of a job. */
export function diesBeforeTheState(jobs: Jobs): Jobs {
  const died = () => Promise.reject(new Error('the process died'));
  return {
    ...jobs,
    putState: died,
    async putNew(request, _state, expiresAt) {
      await jobs.putRequest(request, expiresAt);
      return died();
    },
  };
}
