// Jobs in every state, and every verb on them: what the tests of core and of the store walk through.
// Owns no expectations: those stand in the tests.

import * as job from '../../functions/core/job.ts';
import { JOB_EXPIRES_AFTER } from '../../functions/core/limits.ts';

export const NOW = 1_800_000_000_000;
export const HOST = 'machine-a.run-1';
/** The run that follows on the same machine. */
export const NEXT_RUN = 'machine-a.run-2';
export const OTHER = 'machine-b.run-1';

export const IMAGE: job.JobOutput = {
  filename: 'Flux2_Turbo_00000000000000000000000000000001_00001_.png',
  node: '10',
  width: 1024,
  height: 768,
  sizeBytes: 1_234_567,
  contentType: 'image/png',
  sha256: 'ab'.repeat(32),
};

const waiting: job.JobState = {
  jobId: '00000000-0000-8000-8000-000000000001',
  owner: 'owner-1',
  status: 'queued',
  attempt: 0,
  lostAttempts: 0,
  work: 'waiting',
  workOrder: `${NOW - 600_000}-00001`,
  ownerOrder: `${NOW - 600_000}#00000000-0000-8000-8000-000000000001`,
  createdAt: NOW - 600_000,
  progress: 0,
  currentStep: 0,
  totalSteps: 25,
};

const held: job.JobState = {
  ...waiting,
  attempt: 1,
  host: HOST,
  work: 'held',
  claimedAt: NOW - 90_000,
  simulated: false,
};

const processing: job.JobState = {
  ...held,
  status: 'processing',
  startedAt: NOW - 60_000,
  progressAt: NOW - 5000,
  progress: 0.5,
  currentStep: 12,
};

const { host: _host, work: _work, progressAt: _progressAt, ...left } = processing;
const ended = { ...left, endedAt: NOW - 1000 };
const lostBefore = { startedAt: NOW - 300_000 };

export const STATES = {
  waiting,
  'waiting, lost once': { ...waiting, ...lostBefore, attempt: 1, lostAttempts: 1 },
  'waiting for exactly a day': { ...waiting, createdAt: NOW - JOB_EXPIRES_AFTER },
  'waiting for more than a day': { ...waiting, createdAt: NOW - JOB_EXPIRES_AFTER - 1 },
  held,
  'held, accepted more than a day ago': { ...held, createdAt: NOW - JOB_EXPIRES_AFTER - 1 },
  'held for the 19th time': { ...held, attempt: 19, strikes: 18 },
  'held for the 20th time': { ...held, attempt: 20, strikes: 19 },
  'held for the 30th time, never started': { ...held, attempt: 30, setbacks: 29 },
  'held, lost twice': { ...held, ...lostBefore, attempt: 3, lostAttempts: 2 },
  'held, first started a day ago': {
    ...held,
    attempt: 2,
    lostAttempts: 1,
    startedAt: NOW - JOB_EXPIRES_AFTER,
  },
  processing,
  'processing, lost once': { ...processing, attempt: 2, lostAttempts: 1 },
  'processing, lost twice': { ...processing, attempt: 3, lostAttempts: 2 },
  'processing for the 19th time': { ...processing, attempt: 19, strikes: 18 },
  'processing for the 20th time': { ...processing, attempt: 20, strikes: 19 },
  'processing for a day': { ...processing, startedAt: NOW - JOB_EXPIRES_AFTER },
  'processing, at every limit': {
    ...processing,
    attempt: 20,
    strikes: 19,
    lostAttempts: 2,
    startedAt: NOW - JOB_EXPIRES_AFTER,
  },
  completed: {
    ...ended,
    status: 'completed',
    progress: 1,
    currentStep: 25,
    outputs: [IMAGE],
    listOrder: `completed#${waiting.ownerOrder}#1`,
  },
  failed: {
    ...ended,
    status: 'failed',
    error: 'a node failed',
    errorCode: 'node_failed',
    listOrder: `failed#${waiting.ownerOrder}#0`,
  },
  cancelled: { ...waiting, work: undefined, status: 'cancelled', endedAt: NOW - 1000 },
} as const satisfies Record<string, job.JobState>;
delete (STATES.cancelled as Partial<job.JobState>).work;

export type StateName = keyof typeof STATES;
export const STATE_NAMES = Object.keys(STATES) as StateName[];

/** What a writer knows of the job: a snapshot, and the claim that it believes to have. */
export interface Knowledge {
  picture: job.JobState;
  fence: job.Fence;
}

export const FURTHER: job.Progress = { progress: 0.75, currentStep: 18, totalSteps: 25 };
export const STEPS = { currentStep: 25, totalSteps: 25 };
export const BROKEN: job.Failure = { code: 'node_failed', message: 'KSampler (node 8) failed' };

export const VERBS = {
  claim: ({ picture, fence }) => job.claim(picture, fence.host, NOW, true),
  exchange: ({ picture }) => job.exchange(picture, NOW),
  adopt: ({ picture }) => job.adopt(picture, NEXT_RUN),
  start: ({ picture, fence }) => job.start(picture, fence, NOW),
  advance: ({ fence }) => job.advance(fence, FURTHER, NOW),
  touch: ({ fence }) => job.touch(fence, NOW),
  watchPreviews: () => job.watchPreviews(NOW + 30_000),
  complete: ({ picture, fence }) => job.complete(picture, fence, [IMAGE], STEPS, NOW),
  fail: ({ picture, fence }) => job.fail(picture, fence, BROKEN, NOW),
  release: ({ picture, fence }) => job.release(picture, fence, NOW),
  releaseSpaced: ({ picture, fence }) => ({
    ...job.release(picture, fence, NOW, { spaced: true }),
    verb: 'releaseSpaced',
  }),
  releaseCharged: ({ picture, fence }) => ({
    ...job.release(picture, fence, NOW, { spaced: true, charged: true }),
    verb: 'releaseCharged',
  }),
  lose: ({ picture, fence }) => job.lose(picture, fence, 'ComfyUI forgot it', NOW),
  sweep: ({ picture }) => job.sweep(picture, 'its GPU host died', NOW),
  reclaimStalled: ({ picture }) => job.reclaimStalled(picture, 'it made no progress', NOW),
  cancel: () => job.cancel(NOW),
  clear: () => job.clear(NOW),
  account: ({ picture, fence }) => job.account(picture, fence, job.spend(picture, 21_000, 2.24)),
  expire: ({ picture }) => job.expire(picture, NOW),
} satisfies Record<string, (knowledge: Knowledge) => job.Change>;

export type Verb = keyof typeof VERBS;
export const VERB_NAMES = Object.keys(VERBS) as Verb[];

/** The writer knows the job as it is, or is wrong in one thing. */
export const KNOWLEDGE = {
  right: (of: job.JobState) => known(of),
  'of an earlier attempt': (of: job.JobState) => known({ ...of, attempt: of.attempt - 1 }),
  'of a later attempt': (of: job.JobState) => known({ ...of, attempt: of.attempt + 1 }),
  'of another host': (of: job.JobState) => known({ ...of, host: OTHER }),
} satisfies Record<string, (of: job.JobState) => Knowledge>;

function known(picture: job.JobState): Knowledge {
  return { picture, fence: { attempt: picture.attempt, host: picture.host ?? HOST } };
}

/** In a few words: phase, attempt/lostAttempts, why it failed. */
export function summary(of: job.JobState): string {
  const phase = of.status === 'queued' ? (of.host === undefined ? 'waiting' : 'held') : of.status;
  return [phase, `${of.attempt}/${of.lostAttempts}`, of.errorCode].filter(Boolean).join(' ');
}
