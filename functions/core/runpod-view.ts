// A job in RunPod's words: its status, its times in milliseconds, and the shape of what it made, as worker-comfyui has it. Answers
// and webhooks say the same.

import { hasEnded, type JobState } from './job-state.ts';
import type { JobOutput } from './job-output.ts';

export type RunpodStatus = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

const STATUSES = {
  queued: 'IN_QUEUE',
  processing: 'IN_PROGRESS',
  completed: 'COMPLETED',
  cancelled: 'CANCELLED',
  failed: 'FAILED',
} as const satisfies Record<JobState['status'], RunpodStatus>;

const TIMED_OUT: readonly JobState['errorCode'][] = ['expired', 'took_too_long'];

export interface RunpodJob {
  id: string;
  status: RunpodStatus;
  delayTime?: number;
  executionTime?: number;
  output?: RunpodOutput;
  error?: string;
}

export interface RunpodFile {
  filename: string;
  type: 'base64' | 's3_url';
  data: string;
}

export interface RunpodOutput {
  images: RunpodFile[];
  files?: RunpodFile[];
  /** Of what is otherwise than asked for. */
  errors?: string[];
}

/** Without its output. */
export function runpodJob(state: JobState): RunpodJob {
  return {
    ...timesOf(state),
    id: state.jobId,
    status: runpodStatus(state),
    ...(state.status === 'failed' && { error: state.error ?? state.errorCode ?? 'The job failed' }),
  };
}

export function runpodStatus({ status, errorCode }: Pick<JobState, 'status' | 'errorCode'>): RunpodStatus {
  return TIMED_OUT.includes(errorCode) ? 'TIMED_OUT' : STATUSES[status];
}

/** Before its start, and from there to its end: absent while they are not over. */
function timesOf(state: JobState): Pick<RunpodJob, 'delayTime' | 'executionTime'> {
  const { createdAt, startedAt, endedAt } = state;
  const waited = startedAt ?? endedAt;
  return {
    ...(waited !== undefined && { delayTime: Math.max(0, waited - createdAt) }),
    ...(startedAt !== undefined &&
      endedAt !== undefined &&
      hasEnded(state) && { executionTime: state.gpuMs ?? Math.max(0, endedAt - startedAt) }),
  };
}

/** As worker-comfyui: whatever a node lists under "images"; what it has no list for stands in `files`. */
export function runpodOutput(made: [JobOutput, RunpodFile][], errors: string[]): RunpodOutput {
  const isImage = ([{ key = 'images' }]: [JobOutput, RunpodFile]) => key === 'images';
  const files = made.filter((one) => !isImage(one));
  return {
    images: made.filter(isImage).map(([, file]) => file),
    ...(files.length > 0 && { files: files.map(([, file]) => file) }),
    ...(errors.length > 0 && { errors }),
  };
}
