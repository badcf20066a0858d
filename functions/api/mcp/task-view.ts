// A job as a task of MCP's Tasks extension: https://modelcontextprotocol.github.io/ext-tasks. It was made when it was accepted.

import type { Job, JobState } from '../../core/job.ts';
import { iso } from '../../core/job-view.ts';
import { keepOf } from '../deps.ts';
import type { McpDeps } from './deps.ts';

/** Which a client declares, and the server. */
export const TASKS = 'io.modelcontextprotocol/tasks';

const POLL_INTERVAL = 1000;

/** A failed job is a completed task, whose result is the tool's error: `failed` is for errors of JSON-RPC alone. */
const STATUSES = {
  queued: 'working',
  processing: 'working',
  completed: 'completed',
  failed: 'completed',
  cancelled: 'cancelled',
} as const satisfies Record<JobState['status'], string>;

export function taskOf(deps: McpDeps, { state }: Job) {
  const changed = state.endedAt ?? state.progressAt ?? state.startedAt ?? state.claimedAt ?? state.createdAt;
  return {
    taskId: state.jobId,
    status: STATUSES[state.status],
    statusMessage: messageOf(state),
    createdAt: iso(state.createdAt),
    lastUpdatedAt: iso(changed),
    ttlMs: keepOf(deps),
    pollIntervalMs: POLL_INTERVAL,
  };
}

/** For a person to read. */
export function messageOf({ jobId, status, currentStep, totalSteps }: JobState): string {
  const step = status === 'processing' && totalSteps > 0 ? `, step ${currentStep} of ${totalSteps}` : '';
  return `Job ${jobId} is ${status}${step}`;
}
