// One call: its jobs are accepted, it is held until they have ended, and answered with their images. Whatever becomes of the call,
// the jobs go on.

import type { Context } from 'hono';
import { hasEnded, type Job, type JobState } from '../../core/job.ts';
import type { Template } from '../../core/template.ts';
import { accept } from '../admission/accept.ts';
import { fromTemplate } from '../admission/from-template.ts';
import { sharerOf } from '../admission/own-job.ts';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { endOf } from '../facade/held.ts';
import { setHeaders } from '../http/headers.ts';
import { jobNotFound } from '../http/parameters.ts';
import type { Asked } from './asked.ts';
import { NO_REPETITION, OpenAIError } from './errors.ts';
import { imagesAnswer } from './images.ts';

/** Node's fetch, which most clients have, gives up at 300 s without an answer; before that it is asked to come again. */
const HELD_AT_MOST = 270_000;
/** Seconds. */
const COME_AGAIN = 5;

export interface Call {
  template: Template;
  asked: Asked;
}

export async function answerCall(deps: FacadeDeps, c: Context<ApiEnv>, call: Call): Promise<Response> {
  c.header('X-Workflow', call.template.name);
  const jobs = await acceptJobs(deps, c, call.asked.jobs);
  c.header('X-Job-Id', jobs.map(({ state }) => state.jobId).join(', '));
  const states = await untilEnded(deps, c, jobs);
  return imagesAnswer(deps, c, states, call.asked);
}

/** In order; what was accepted before a refusal goes on. */
async function acceptJobs(deps: FacadeDeps, c: Context<ApiEnv>, bodies: Asked['jobs']): Promise<Job[]> {
  const jobs: Job[] = [];
  for (const body of bodies) {
    const caller = c.get('caller');
    const { request, state, headers } = await accept(
      deps,
      caller,
      fromTemplate(deps, caller, body),
      undefined,
    );
    setHeaders(c, headers);
    const job = state ? { request, state } : await deps.reader.read(request.jobId);
    if (!job) throw jobNotFound();
    jobs.push(job);
  }
  return jobs;
}

/** @throws OpenAIError where that takes too long, or one of them has failed */
async function untilEnded(deps: FacadeDeps, c: Context<ApiEnv>, jobs: Job[]): Promise<JobState[]> {
  const slot = jobs.every(({ state }) => hasEnded(state))
    ? undefined
    : deps.openConnections.take(c.req.raw.signal, sharerOf(c.get('caller')));
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

function refuseUnlessCompleted(state: JobState): void {
  const { status, jobId, error, errorCode } = state;
  if (!hasEnded(state))
    throw new OpenAIError(
      503,
      'server_error',
      'still_running',
      `The image is still being made, as job ${jobId}. Repeat the call, as OpenAI's SDKs do by themselves, or ask GET /api/status/${jobId}`,
      null,
      { 'Retry-After': String(COME_AGAIN) },
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
