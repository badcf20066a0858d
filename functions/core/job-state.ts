// The shape of a job's state and its failure codes. The transitions are in job.ts.

import type { JobOutput } from './job-output.ts';
import type { JobRequest } from './request.ts';

/** A whole job: its request never changes, its state does. */
export interface Job {
  state: JobState;
  request: JobRequest;
}

export type Status = 'queued' | 'processing' | 'completed' | 'failed' | 'cancelled';
export const LIVE: readonly Status[] = ['queued', 'processing'];
export const ENDED: readonly Status[] = ['completed', 'failed', 'cancelled'];

/** Statuses of a job that ran to an end. */
export type Ran = 'completed' | 'failed';

/** A real ComfyUI, or the simulated one of `npm start`. */
export type ComfyUIKind = 'real' | 'simulated';

/** `held`: a host has claimed the job. */
export type Work = 'waiting' | 'held';

/** The hot part of a job, below 1 KB: a write is charged by the size of the whole item. Times in ms. */
export interface JobState {
  jobId: string;
  owner: string;
  status: Status;
  /** Rises by one at each claim; with `host` it is the fence. */
  attempt: number;
  /** Attempts that had started and were lost. */
  lostAttempts: number;
  /** Lost attempts, and those that ended with their host or by its mistake; `MAX_STRIKES` of them end the job. */
  strikes?: number;
  /** Consecutive releases by hosts whose ComfyUI did not start it. */
  setbacks?: number;
  /** It may not be claimed before this time. */
  retryAt?: number;
  /** Present exactly while a host holds the job. */
  host?: string;
  /** Present exactly while the job has not ended; the key of the index by work. */
  work?: Work;
  workOrder: string;
  /** Its sort key among its owner's jobs; with `owner` the key of that index. */
  ownerOrder: string;
  /** Present once it completed or failed; with `owner` the key of the index behind lists. */
  listOrder?: string;
  createdAt: number;
  claimedAt?: number;
  /** The host of the last claim, also after the end. Absent: none, or an earlier release claimed it. */
  claimedBy?: string;
  /** The first start of any attempt. */
  startedAt?: number;
  /** Someone in another process than its host looks at its previews until then. */
  previewsUntil?: number;
  /** When the running attempt started, progressed or was touched last. */
  progressAt?: number;
  endedAt?: number;
  /** Over the whole graph, 0 to 1. */
  progress: number;
  currentStep: number;
  totalSteps: number;
  /** The node that ran when progress was written last. */
  node?: string | undefined;
  /** The template's own deadline, ms; absent: `JOB_DEADLINE`. */
  deadline?: number;
  /** The most that an attempt may run, ms; absent: as long as every job. */
  runLimit?: number;
  outputs?: JobOutput[];
  /** Sentences about its outputs. */
  notes?: string[];
  error?: string;
  errorCode?: FailureCode;
  /** GPU time and cost of its attempts, of those whose end a host has seen. */
  gpuMs?: number;
  costMicroUsd?: number;
  /** Only a host with this kind of ComfyUI claims it. Absent: any. */
  acceptedFor?: ComfyUIKind;
  /** Whether the host of the last claim has a simulated ComfyUI. */
  simulated?: boolean;
  /** Present until its end is in the outbox; with `endedAt` the key of that index. */
  webhook?: 'pending';
}

export type FailureCode =
  | 'refused_by_comfyui'
  | 'node_failed'
  | 'input_gone'
  | 'input_refused'
  | 'unreadable_result'
  | 'no_output'
  /** A node listed a file that is not there, is empty, or is not the whole image that it promises. */
  | 'bad_output'
  /** A node reported a file that this attempt did not make. */
  | 'output_not_own'
  | 'too_many_outputs'
  | 'lost_too_often'
  | 'too_many_attempts'
  | 'took_too_long'
  | 'expired';

export interface Failure {
  code: FailureCode;
  message: string;
}

/** Completed, failed or cancelled. */
export function hasEnded(job: Pick<JobState, 'status'>): boolean {
  return !LIVE.includes(job.status);
}

/** Of jobs that were read in two. One without a request was removed between the two. */
export function jobsOf<R>(
  states: readonly JobState[],
  requests: ReadonlyMap<string, R>,
): { state: JobState; request: R }[] {
  return states.flatMap((state) => {
    const request = requests.get(state.jobId);
    return request ? [{ state, request }] : [];
  });
}
