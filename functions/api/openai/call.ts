// One call: its jobs are accepted, it is held until they have ended, and answered with their images. Whatever becomes of the call,
// the jobs go on.

import type { Context } from 'hono';
import { etaSeconds } from '../../core/estimate.ts';
import { hasEnded, type Job, type JobState } from '../../core/job.ts';
import type { Template } from '../../core/template.ts';
import { accept } from '../admission/accept.ts';
import { fromTemplate } from '../admission/from-template.ts';
import { sharerOf } from '../admission/own-job.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { endOf } from '../facade/held.ts';
import { setHeaders } from '../http/headers.ts';
import type { Slot } from '../http/open-connections.ts';
import { jobNotFound } from '../http/parameters.ts';
import type { Asked } from './asked.ts';
import { NO_REPETITION, OpenAIError } from './errors.ts';
import { imagesAnswer } from './images.ts';
import type { Repetitions, Turn } from './repetitions.ts';
import { type Streamed, streamedAnswer } from './stream.ts';

/** Node's fetch, which most clients have, gives up at 300 s without an answer; before that it is asked to come again. */
const HELD_AT_MOST = 270_000;
/** Seconds. */
const COME_AGAIN = 5;
/** npm's SDK goes by its own times where `Retry-After` says more than a minute. */
const LONGEST_WAIT = 59;

export interface Call {
  template: Template;
  asked: Asked;
  kind: Streamed['kind'];
  /** Of what was sent: a repetition has the same. */
  bodyHash: string;
}

export type CallDeps = FacadeDeps & { repetitions: Repetitions };

export async function answerCall(deps: CallDeps, c: Context<ApiEnv>, call: Call): Promise<Response> {
  c.header('X-Workflow', call.template.name);
  if (call.asked.unused.length > 0) c.header('X-Unused-Parameters', call.asked.unused.join(', '));
  const { signal } = c.req.raw;
  const turn = await deps.repetitions.turnOf(c, call.bodyHash);
  const lost = () => turn.end(false);
  signal.addEventListener('abort', lost);
  if (signal.aborted) lost();
  const jobs: Job[] = [];
  try {
    await acceptJobs(deps, c, call.asked.jobs, turn, jobs);
    c.header('X-Job-Id', idsOf(jobs));
    const slot = await slotFor(deps, c, jobs);
    const sent = (isWhole: boolean) => whenSent(c, isWhole, (got) => turn.end(got));
    if (call.asked.partialImages !== undefined)
      return streamedAnswer(deps, c, {
        ...call,
        jobs,
        slot,
        longest: HELD_AT_MOST,
        refuse: refuseUnlessCompleted,
        sent,
      });
    const states = await untilEnded(deps, jobs, slot);
    return await imagesAnswer(deps, c, states, call.asked, sent);
  } catch (error) {
    if (jobs.length > 0) c.header('X-Job-Id', idsOf(jobs));
    // What was refused before it was a job, and what cannot come otherwise, is an answer.
    turn.end(jobs.length === 0 || isFinal(error));
    throw error;
  }
}

function idsOf(jobs: Job[]): string {
  return jobs.map(({ state }) => state.jobId).join(', ');
}

/** How the job ended. */
function isFinal(error: unknown): boolean {
  return error instanceof OpenAIError && error.type === 'image_generation_error';
}

/** @param then called with whether all of the answer has left this process */
function whenSent(c: Context<ApiEnv>, isWhole: boolean, then: (got: boolean) => void): void {
  const outgoing = c.env?.outgoing;
  if (!isWhole || !outgoing) then(isWhole);
  else if (outgoing.closed) then(outgoing.writableFinished);
  else outgoing.once('close', () => then(outgoing.writableFinished));
}

/** In order; what was accepted before a refusal goes on. @param jobs takes those that were */
async function acceptJobs(
  deps: FacadeDeps,
  c: Context<ApiEnv>,
  bodies: Asked['jobs'],
  turn: Turn,
  jobs: Job[],
): Promise<void> {
  for (const [index, body] of bodies.entries()) {
    const caller = c.get('caller');
    const { request, state, headers } = await accept(
      deps,
      caller,
      fromTemplate(deps, caller, body),
      turn.keyOf(index),
    );
    setHeaders(c, headers);
    const job = state ? { request, state } : await deps.reader.read(request.jobId);
    if (!job) throw jobNotFound();
    jobs.push(job);
  }
}

/** Undefined: all of them have ended. @throws OpenAIError where no more calls may be held */
async function slotFor(deps: FacadeDeps, c: Context<ApiEnv>, jobs: Job[]): Promise<Slot | undefined> {
  const unended = jobs.find(({ state }) => !hasEnded(state));
  const slot = unended && deps.openConnections.take(c.req.raw.signal, sharerOf(c.get('caller')));
  if (unended && !slot) refuseUnlessCompleted(unended.state, await comeAgainIn(deps, unended.state));
  return slot;
}

/** Seconds until the image should be there, as far as the SDKs go by that: its two repetitions see a host start. */
async function comeAgainIn({ queue, fleet }: FacadeDeps, state: JobState): Promise<number> {
  const position = await queue.position(state);
  const { held } = await queue.count();
  const seconds = etaSeconds(position, await fleet.estimate(held)) ?? COME_AGAIN;
  return Math.min(LONGEST_WAIT, Math.max(COME_AGAIN, Math.ceil(seconds)));
}

/** @throws OpenAIError where that takes too long, or one of them has failed */
async function untilEnded(deps: FacadeDeps, jobs: Job[], slot: Slot | undefined): Promise<JobState[]> {
  const held = async ({ state }: Job) => {
    const last = slot ? await endOf(deps, state, slot.signal, HELD_AT_MOST) : state;
    if (!last) throw jobNotFound();
    return last;
  };
  try {
    const states = await Promise.all(jobs.map(held));
    for (const state of states) refuseUnlessCompleted(state);
    return states;
  } finally {
    slot?.free();
  }
}

function refuseUnlessCompleted(state: JobState, comeAgain = COME_AGAIN): void {
  const { status, jobId, error, errorCode } = state;
  if (!hasEnded(state))
    throw new OpenAIError(
      503,
      'server_error',
      'still_running',
      `The image is still being made, as job ${jobId}. Repeat the call, as OpenAI's SDKs do by themselves, or ask GET /api/status/${jobId}`,
      null,
      { 'Retry-After': String(comeAgain) },
    );
  if (status === 'completed') return;
  throw new OpenAIError(
    422,
    'image_generation_error',
    errorCode ?? status,
    `Job ${jobId} ${status === 'cancelled' ? 'was cancelled' : `failed: ${error ?? ''}`}`,
    null,
    NO_REPETITION,
  );
}
