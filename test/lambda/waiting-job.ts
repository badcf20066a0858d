// Jobs as the api leaves them, and their records as the table's stream has them.

import { randomUUID } from 'node:crypto';
import { claim, type JobState } from '../../functions/core/job.ts';
import { ownerOrder, workOrder } from '../../functions/core/names.ts';
import type { Connected } from '../../functions/runtime/connect.ts';
import { recorded } from './function-url.ts';

export interface StreamRecord {
  eventSource?: string;
  dynamodb?: {
    SequenceNumber?: string;
    NewImage?: Record<string, { S?: string; N?: string }>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}
export interface StreamEvent {
  Records: (StreamRecord | null)[];
}

export const stream = () => (recorded('stream') as { Records: [StreamRecord] }).Records[0];

export async function putWaitingJob({ jobs, now }: Connected): Promise<JobState> {
  const jobId = randomUUID();
  const createdAt = now();
  const state: JobState = {
    jobId,
    owner: 'local',
    status: 'queued',
    attempt: 0,
    lostAttempts: 0,
    work: 'waiting',
    workOrder: workOrder(createdAt, 1, jobId, 'local'),
    ownerOrder: ownerOrder(createdAt, jobId),
    createdAt,
    progress: 0,
    currentStep: 0,
    totalSteps: 8,
  };
  await jobs.putState(state, Math.ceil(createdAt / 1000) + 3600);
  return state;
}

/** Held by a host of which nothing is left. */
export async function putOrphan(behind: Connected): Promise<JobState> {
  const state = await putWaitingJob(behind);
  await behind.jobs.write(state.jobId, claim(state, 'gone', behind.now(), true));
  return state;
}

/** @param sequenceNumber the place in its shard */
export function recordOf(
  { jobId, createdAt, attempt }: Pick<JobState, 'jobId' | 'createdAt' | 'attempt'>,
  sequenceNumber: string,
): StreamRecord {
  const record = stream();
  const { NewImage, ...rest } = record.dynamodb!;
  return {
    ...record,
    dynamodb: {
      ...rest,
      SequenceNumber: sequenceNumber,
      NewImage: {
        ...NewImage,
        jobId: { S: jobId },
        createdAt: { N: String(createdAt) },
        attempt: { N: String(attempt) },
      },
    },
  };
}

/** What no release of today can read, each with the number under which it is logged. */
export const POISON: [what: string, record: StreamRecord | null, sequenceNumber: string | null][] = [
  ['of a later version', poison({ v: { N: '2' }, jobId: { S: 'a' } }), '200'],
  ['without a version', poison({ jobId: { S: 'a' } }), '200'],
  ['without a job', poison({ v: { N: '1' } }), '200'],
  ['without an image', { ...stream(), dynamodb: { SequenceNumber: '200' } }, '200'],
  ['without a number', { ...stream(), dynamodb: {} }, null],
  ['that is empty', {}, null],
  ['that is nothing', null, null],
];

function poison(NewImage: Record<string, { S?: string; N?: string }>): StreamRecord {
  const record = stream();
  return { ...record, dynamodb: { ...record.dynamodb, SequenceNumber: '200', NewImage } };
}
