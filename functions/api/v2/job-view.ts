// A job as the Comfy API v2 shows it, mapped from the one state that both APIs share.

import type { JobState, Job } from '../../core/job.ts';
import { hasEnded } from '../../core/job.ts';
import { iso } from '../../core/job-view.ts';
import { failedNode } from '../../core/outcome.ts';
import type { JobRequest } from '../../core/request.ts';
import { keepOf } from '../deps.ts';
import { outputViews } from './outputs.ts';
import type { V2Deps } from './deps.ts';

/** `canceling` is none of ours: a cancelled job has ended at once, and its GPU is let go within a second. */
export type V2Status = 'queued' | 'running' | 'succeeded' | 'canceled' | 'failed' | 'expired';

const STATUSES = {
  queued: 'queued',
  processing: 'running',
  completed: 'succeeded',
  cancelled: 'canceled',
  failed: 'failed',
} as const satisfies Record<JobState['status'], V2Status>;

export function v2Status({ status, errorCode }: Pick<JobState, 'status' | 'errorCode'>): V2Status {
  return errorCode === 'expired' ? 'expired' : STATUSES[status];
}

/** @param origin of links to files; undefined: S3's own */
export async function jobView(deps: V2Deps, { state, request }: Job, origin: string | undefined) {
  const { jobId } = state;
  const at = `${deps.prefix}/jobs/${jobId}`;
  return {
    id: jobId,
    status: v2Status(state),
    created_at: iso(state.createdAt),
    started_at: iso(state.startedAt),
    completed_at: iso(state.endedAt),
    expires_at: iso(state.createdAt + keepOf(deps)),
    queue_position: await deps.queue.position(state),
    progress: progressView(state, request),
    outputs: await outputViews(deps, state, origin),
    error: errorView(state),
    metrics: metricsOf(state),
    metadata: request.metadata ?? {},
    urls: { self: at, events: `${at}/events`, cancel: `${at}/cancel` },
  };
}

/** In a list; what it made comes from the job itself. */
export function summaryView(state: JobState, { metadata = {} }: Pick<JobRequest, 'metadata'>) {
  const changed = state.endedAt ?? state.progressAt ?? state.startedAt ?? state.claimedAt ?? state.createdAt;
  return {
    id: state.jobId,
    status: v2Status(state),
    create_time: iso(state.createdAt),
    update_time: iso(changed),
    metadata,
  };
}

/** Null before it starts. How many nodes are done is read from the progress, in which a sampler counts by its steps. */
export function progressView(
  { status, startedAt, progress, currentStep, totalSteps }: JobState,
  { nodeCount = 0 }: JobRequest,
) {
  if (startedAt === undefined) return null;
  const isRunning = status === 'processing' && totalSteps > 0;
  return {
    value: progress,
    nodes_done: Math.floor(nodeCount * progress),
    nodes_total: nodeCount,
    current_node: null,
    current_node_class: null,
    step: isRunning ? currentStep : null,
    steps: isRunning ? totalSteps : null,
    message: null,
  };
}

function errorView({ error, errorCode }: JobState) {
  if (errorCode === undefined) return null;
  const at = failedNode(error);
  return {
    code: errorCode === 'node_failed' ? 'node_execution_error' : errorCode,
    message: error ?? errorCode,
    node_id: at?.node ?? null,
    class_type: at?.classType ?? null,
    traceback: null,
  };
}

function metricsOf(state: JobState) {
  const { createdAt, startedAt, endedAt } = state;
  return {
    queue_ms: startedAt === undefined ? null : Math.max(0, startedAt - createdAt),
    execution_ms:
      state.gpuMs ??
      (startedAt === undefined || !hasEnded(state) || endedAt === undefined
        ? null
        : Math.max(0, endedAt - startedAt)),
  };
}
