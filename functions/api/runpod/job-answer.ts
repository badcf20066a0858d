// A job as RunPod's clients read it: its status, its times in milliseconds, and what it made, as worker-comfyui says it.

import { hasEnded, type JobState } from '../../core/job.ts';
import type { RunpodDeps } from './deps.ts';
import { type Output, outputReader } from './outputs.ts';

export type RunpodStatus = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

const STATUSES = {
  queued: 'IN_QUEUE',
  processing: 'IN_PROGRESS',
  completed: 'COMPLETED',
  cancelled: 'CANCELLED',
  failed: 'FAILED',
} as const satisfies Record<JobState['status'], RunpodStatus>;

const TIMED_OUT: readonly JobState['errorCode'][] = ['expired', 'took_too_long'];

interface JobAnswer {
  id: string;
  status: RunpodStatus;
  delayTime?: number;
  executionTime?: number;
  output?: Output;
  error?: string;
}

export function jobAnswers(deps: RunpodDeps) {
  const output = outputReader(deps);
  return {
    statusOf,
    briefOf,
    output,
    /** @param origin of links to files; undefined: S3's own */
    async whole(state: JobState, origin: string | undefined): Promise<JobAnswer> {
      return {
        ...briefOf(state),
        ...(state.status === 'completed' && { output: await output(state, origin) }),
      };
    },
  };
}

function briefOf(state: JobState): JobAnswer {
  return {
    ...timesOf(state),
    id: state.jobId,
    status: statusOf(state),
    ...(state.status === 'failed' && { error: state.error ?? state.errorCode ?? 'The job failed' }),
  };
}

function statusOf({ status, errorCode }: Pick<JobState, 'status' | 'errorCode'>): RunpodStatus {
  return TIMED_OUT.includes(errorCode) ? 'TIMED_OUT' : STATUSES[status];
}

/** Before its start, and from there to its end: absent while they are not over. */
function timesOf(state: JobState): Pick<JobAnswer, 'delayTime' | 'executionTime'> {
  const { createdAt, startedAt, endedAt } = state;
  const waited = startedAt ?? endedAt;
  return {
    ...(waited !== undefined && { delayTime: Math.max(0, waited - createdAt) }),
    ...(startedAt !== undefined &&
      endedAt !== undefined &&
      hasEnded(state) && { executionTime: state.gpuMs ?? Math.max(0, endedAt - startedAt) }),
  };
}
