// A job as the outside sees it: the guide's fields, and ours beside them.

import { hasEnded, type JobState } from '../core/job.ts';
import { keys, outwardPromptId } from '../core/names.ts';
import type { JobRequest } from '../core/request.ts';
import { etaSeconds, waitingFor } from '../core/waiting.ts';
import type { Host } from '../store/hosts.ts';
import type { Job } from '../store/jobs.ts';
import type { Shared } from './deps.ts';

/** The prompt as it was typed; "" for a workflow that takes none. */
export function promptOf(request: JobRequest): string {
  const prompt = request.inputs['prompt'];
  return typeof prompt === 'string' ? prompt : '';
}

/** The fields that every view of a job has. Times as ISO 8601 in UTC. */
export function jobView({ state, request }: Job) {
  return {
    job_id: state.jobId,
    prompt_id: outwardPromptId(state.jobId),
    status: state.status,
    prompt: promptOf(request),
    progress: state.progress,
    current_step: state.currentStep,
    total_steps: state.totalSteps,
    output_image: state.images?.[0]?.filename ?? null,
    error: state.error ?? null,
    error_code: state.errorCode ?? null,
    created_at: iso(state.createdAt),
    started_at: iso(state.startedAt),
    completed_at: iso(state.endedAt),
    workflow: request.workflow,
    seed: typeof request.inputs['seed'] === 'number' ? request.inputs['seed'] : null,
    attempts: state.attempt,
    notes: request.notes,
    simulated: state.simulated ?? false,
    gpu_seconds: state.gpuMs === undefined ? null : state.gpuMs / 1000,
    cost_usd: state.costMicroUsd === undefined ? null : state.costMicroUsd / 1_000_000,
  };
}

/** `GET /api/status/<id>`. @param origin of the links, undefined for S3's own */
export async function statusView(deps: Shared, job: Job, origin: string | undefined) {
  const { state } = job;
  const position = hasEnded(state) ? null : await deps.queue.position(state);
  const waiting = await waitingOf(deps, state, position);
  return {
    ...jobView(job),
    queue_position: position,
    waiting_for: waiting.for,
    eta_seconds: waiting.eta ?? etaOf(state, deps.now()),
    images: await Promise.all(
      (state.images ?? []).map(async (image) => ({
        filename: image.filename,
        url: await linkOf(deps, state, image.filename, origin),
        width: image.width,
        height: image.height,
        size_bytes: image.sizeBytes,
        content_type: image.contentType,
      })),
    ),
  };
}

export function linkOf(
  { presigner }: Shared,
  state: JobState,
  filename: string,
  origin: string | undefined,
): Promise<string> {
  return presigner.link({
    endpoint: origin,
    key: keys.image(state.jobId, state.attempt, filename),
    filename,
  });
}

/** @param position in the queue; null: too far back to say, or not waiting */
async function waitingOf(
  { fleet, queue }: Shared,
  state: JobState,
  position: number | null,
): Promise<{ for: string | null; eta: number | null }> {
  if (state.status !== 'queued') return { for: null, eta: null };
  if (state.host !== undefined) return { for: 'its turn in ComfyUI', eta: null };
  const { held } = await queue.count();
  const outlook = await fleet.outlook(held);
  return { for: waitingFor(outlook), eta: etaSeconds(position, outlook) };
}

export function takesJobs(host: Host): boolean {
  return host.comfyui && host.state === 'ready';
}

/** A pace shows only when the models are loaded and the first steps are done. */
const PACE_FROM = 0.1;

/** From the pace so far; null before there is one. */
function etaOf(state: JobState, now: number): number | null {
  if (state.status !== 'processing' || state.startedAt === undefined || state.progress < PACE_FROM)
    return null;
  const elapsed = Math.max(0, now - state.startedAt);
  return Math.round((elapsed * (1 - state.progress)) / state.progress / 100) / 10;
}

function iso(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
