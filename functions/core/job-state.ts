// What a job is: the shape of its state, and how it may have failed. How it changes stands in job.ts.

import type { JobRequest } from './request.ts';

/** A job as a whole: what was asked for never changes, its state does. */
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

/** One published image. `filename` is ours, not ComfyUI's; sizes in pixels and bytes. */
export interface JobImage {
  filename: string;
  node: string;
  width: number;
  height: number;
  sizeBytes: number;
  contentType: string;
}

/** The hot part of a job, below 1 KB: every write is charged by the size of the whole item. Times in ms. */
export interface JobState {
  jobId: string;
  owner: string;
  status: Status;
  /** Rises by one at each claim; with `host` the fencing token. */
  attempt: number;
  /** Attempts that had started and were lost. */
  lostAttempts: number;
  /** Attempts that count towards the last one: those lost, and those that ended with their host or by a mistake of it. */
  strikes?: number;
  /** How often in a row it came back from a ComfyUI that did not start it. */
  setbacks?: number;
  /** Not to be claimed before. */
  retryAt?: number;
  /** There exactly while a host holds the job. */
  host?: string;
  /** There exactly while the job has not ended; the key of the index by work. */
  work?: Work;
  workOrder: string;
  /** Its place among its owner's jobs. */
  ownerOrder: string;
  /** There once it ran to an end; with `owner` the key of the index of what lists show. */
  listOrder?: string;
  createdAt: number;
  claimedAt?: number;
  /** The first start, of whichever attempt. */
  startedAt?: number;
  /** The last sign of life of the attempt that runs: its start or its last progress. */
  progressAt?: number;
  endedAt?: number;
  /** Over the whole graph, 0 to 1. */
  progress: number;
  currentStep: number;
  totalSteps: number;
  /** Only where the template sets its own. */
  deadline?: number;
  images?: JobImage[];
  /** What its end has to say beside its images: of outputs that are not published. */
  notes?: string[];
  error?: string;
  errorCode?: FailureCode;
  /** What its attempts took of a GPU, and what that cost: only of attempts whose end a host has seen. */
  gpuMs?: number;
  costMicroUsd?: number;
  /** The kind of ComfyUI that it was accepted for: the other never takes it. Absent: any. */
  acceptedFor?: ComfyUIKind;
  /** The ComfyUI that took it last said that it is a simulated one. */
  simulated?: boolean;
  /** There while its end is still to be told to its webhook; with `endedAt` the key of the index that is the outbox. */
  webhook?: 'pending';
}

export type FailureCode =
  | 'refused_by_comfyui'
  | 'node_failed'
  | 'input_gone'
  | 'input_refused'
  | 'unreadable_result'
  | 'no_output'
  /** A node saved what is no whole PNG, JPEG or WebP. */
  | 'bad_output'
  /** A node told of a file that this attempt did not make. */
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

export function hasEnded(job: Pick<JobState, 'status'>): boolean {
  return !LIVE.includes(job.status);
}
