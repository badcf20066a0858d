// From what a caller wants to an accepted job: check it, put the request part, put the state. Where its graph comes from is
// each API's own business: from-template.ts, v2/submit.ts.

import type { Caller } from '../../core/access.ts';
import { modelsTagOf } from '../../core/affinity.ts';
import { AppError } from '../../core/errors.ts';
import type { JobState } from '../../core/job.ts';
import { GRAPH_INLINE_BYTES } from '../../core/limits.ts';
import { jobIdFrom, keys, ownerOrder, workOrder } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import { hashBytes, type JobRequest, packGraph } from '../../core/request.ts';
import type { Template } from '../../core/template.ts';
import { traceIdOf } from '../../core/trace.ts';
import { giveTurnBack, type Turn } from '../../queue/turns.ts';
import type { Fleet } from '../caches/fleet.ts';
import type { JobReader } from '../caches/job-reader.ts';
import type { Queue } from '../caches/queue-view.ts';
import { type ApiDeps, keepOf } from '../deps.ts';
import { type Admitted, hasLimits, type Limits } from './limits.ts';
import { isStorageFull } from '../http/problems.ts';
import type { LimitHeaders } from './refusals.ts';
import { turnOf } from './turn.ts';
import type { Uploads } from './uploads.ts';
import type { UrlInputs } from './url-inputs.ts';

type Templates = ReadonlyMap<string, Template>;

export interface AcceptDeps extends ApiDeps {
  fleet: Fleet;
  queue: Queue;
  reader: JobReader;
  limits: Limits;
  uploads: Uploads;
  urlInputs: UrlInputs;
}

/** What a job is to be made of, however it was asked for. */
export interface Wanted {
  /** Of what was asked for: the same idempotency key with another is refused. */
  bodyHash: string;
  /**
   * Everything that may be wrong with it is found here.
   * @param templates as they are now @throws AppError
   */
  check(templates: Templates): Promise<{ request: Omit<JobRequest, Identity>; graph: Graph }>;
  /** The graph of a request that was stored before; undefined: it cannot be made again. */
  graphOf(request: JobRequest, templates: Templates): Graph | undefined;
}

/** What a job's request has whatever it is made of. */
type Identity =
  | 'jobId'
  | 'owner'
  | 'bodyHash'
  | 'trace'
  | 'nodeCount'
  | 'models'
  | 'graph'
  | 'graphKey'
  | 'graphHash';

export interface Accepted {
  /** What was accepted now, or at first with the same idempotency key. */
  request: JobRequest;
  /** As it was accepted now. Undefined: this is a repetition, and it may be further by now. */
  state?: JobState;
  /** What is left of its owner's limits. */
  headers: LimitHeaders;
}

let sequence = 0;

/** @throws AppError with nothing stored */
export async function accept(
  deps: AcceptDeps,
  caller: Caller,
  wanted: Wanted,
  idempotencyKey: string | undefined,
): Promise<Accepted> {
  const { owner, trace } = caller;
  const { bodyHash } = wanted;
  // One version from the check to the graph, whatever changes in between.
  const { templates } = deps.workflows;
  const jobId = jobIdFrom(
    idempotencyKey === undefined ? { random: deps.random(16) } : { owner, key: idempotencyKey },
  );
  const unique = idempotencyKey === undefined;
  let admitted: Admitted = { headers: {} };
  // A repetition is answered even where the queue is full by now or an image is gone.
  const repeated = idempotencyKey === undefined ? undefined : await deps.jobs.readRequest(jobId);
  const asked =
    repeated ??
    (await newRequest(deps, wanted, templates, { jobId, owner, bodyHash, ...(trace && { trace }) }));
  const isOwn = asked.bodyHash === bodyHash && asked.owner === owner;
  // What was accepted costs nothing more, and is answered over any limit.
  if (isOwn && repeated && (await deps.jobs.readState(jobId))) return { request: repeated, headers: {} };
  if (isOwn && hasLimits(caller)) {
    const images = imagesOf(asked.inputs);
    const isLow = asked.priority === 'low';
    admitted = await deps.limits.job(caller, { jobId, images, unique, isLow });
  }
  const { startTag, lowAt, headers } = admitted;

  const now = deps.now();
  const expiresAt = Math.ceil((now + keepOf(deps)) / 1000);
  /** What was reserved for a job that is not accepted is free again. */
  const orUnreserve = async <T>(put: Promise<T>): Promise<T> => {
    try {
      return await put;
    } catch (error) {
      if (isStorageFull(error) && unique && hasLimits(caller))
        await deps.limits.notAccepted(owner, jobId).catch(() => undefined);
      throw error;
    }
  };
  let turn: Promise<Turn> | undefined;
  /** The last step before the put: a turn that it takes is lost to the owner if the process dies in between. */
  const stateFor = async (request: JobRequest) => {
    const { priority = 'normal' } = request;
    turn ??= orUnreserve(turnOf(deps.jobs, { owner, priority, now, startTag, lowAt }));
    return stateOf(request, templates, { now, turn: await turn, acceptedFor: deps.settings.comfyuiKind });
  };
  const done = async (request: JobRequest, state: JobState, isAccepted: boolean): Promise<Accepted> => {
    deps.reader.know(request);
    if (isAccepted) {
      deps.queue.accepted(state, (await turn)?.moved);
      deps.log.info('job.accepted', {
        jobId,
        owner: request.owner,
        workflow: request.workflow,
        traceId: traceIdOf(request),
      });
      deps.nudge(jobId);
    } else if (turn) {
      // It was there before: the same request came twice at once.
      await giveTurnBack(deps.jobs, await turn);
    }
    return { request, headers, ...(isAccepted && { state }) };
  };

  if (!repeated && asked.graphKey === undefined) {
    const state = await stateFor(asked);
    const outcome = await orUnreserve(deps.jobs.putNew(asked, state, expiresAt));
    if (outcome !== 'there') return done(asked, state, outcome === 'accepted');
  }
  const newReservation = () => Buffer.from(deps.random(9)).toString('base64url');
  // A repetition of what was never accepted, or was removed: a removal under way must not delete this one's request.
  const isThere = isOwn && repeated ? await deps.jobs.renewRequest(jobId, newReservation(), expiresAt) : true;
  const request =
    (isThere ? repeated : undefined) ?? (await orUnreserve(deps.jobs.putRequest(asked, expiresAt)));
  if (request.bodyHash !== bodyHash || request.owner !== owner)
    throw new AppError(
      'idempotency_mismatch',
      'This Idempotency-Key was used with another body; use a new key for a new job',
      { field: 'Idempotency-Key' },
    );
  await storeGraph(deps, wanted, templates, request);
  const state = await stateFor(request);
  return done(request, state, await deps.jobs.putState(state, expiresAt));
}

/** A job at the moment of its acceptance. */
function stateOf(
  { jobId, owner, workflow, inputs, webhookUrl, models, priority, runLimit }: JobRequest,
  templates: Templates,
  { now, turn, acceptedFor }: { now: number; turn: Turn } & Pick<JobState, 'acceptedFor'>,
): JobState {
  sequence += 1;
  const steps = inputs['steps'];
  const deadline = templates.get(workflow)?.deadline_seconds;
  return {
    jobId,
    owner,
    status: 'queued',
    attempt: 0,
    lostAttempts: 0,
    work: 'waiting',
    workOrder: workOrder(turn.startTag, sequence, jobId, owner, now, models, priority),
    ownerOrder: ownerOrder(now, jobId),
    createdAt: now,
    progress: 0,
    currentStep: 0,
    totalSteps: typeof steps === 'number' ? steps : 0,
    ...(deadline === undefined ? {} : { deadline: deadline * 1000 }),
    ...(runLimit !== undefined && { runLimit }),
    ...(acceptedFor !== undefined && { acceptedFor }),
    ...(webhookUrl !== undefined && { webhook: 'pending' }),
  };
}

/** That a job is meant to make: what it has made is counted when it has ended. */
function imagesOf({ batch_size: batch }: JobRequest['inputs']): number {
  return typeof batch === 'number' ? batch : 1;
}

async function newRequest(
  deps: AcceptDeps,
  wanted: Wanted,
  templates: Templates,
  identity: Pick<JobRequest, 'jobId' | 'owner' | 'bodyHash' | 'trace'>,
): Promise<JobRequest> {
  const { request, graph } = await wanted.check(templates);
  await refuseIfFull(deps);
  const packed = packGraph(graph);
  const models = modelsTagOf(graph);
  return {
    ...identity,
    ...request,
    nodeCount: Object.keys(graph).length,
    ...(models !== undefined && { models }),
    ...(packed.length <= GRAPH_INLINE_BYTES
      ? { graph: packed }
      : { graphKey: keys.graph(identity.jobId), graphHash: hashBytes(packed) }),
  };
}

/**
 * A graph too large for the table, made anew from what the request part says: of several attempts with one key each
 * may have drawn another seed. Where its workflow has changed since, only the graph that was stored then is its own.
 */
async function storeGraph(
  { images }: AcceptDeps,
  wanted: Wanted,
  templates: Templates,
  request: JobRequest,
): Promise<void> {
  const { graphKey, graphHash, workflow } = request;
  if (graphKey === undefined) return;
  const graph = wanted.graphOf(request, templates);
  const packed = graph && packGraph(graph);
  if (packed && (graphHash === undefined || hashBytes(packed) === graphHash))
    await images.putOnce(graphKey, packed, { contentType: 'application/gzip' });
  else if (!(await images.head(graphKey)))
    throw new AppError(
      'idempotency_mismatch',
      `The workflow ${workflow} has changed since this Idempotency-Key was first used; use a new key`,
      { field: 'Idempotency-Key' },
    );
}

async function refuseIfFull({ queue, settings }: AcceptDeps): Promise<void> {
  const { waiting } = await queue.count();
  if (waiting >= settings.maxWaiting)
    throw new AppError('too_many_waiting', `${waiting} jobs are waiting already; try again in a few seconds`);
}
