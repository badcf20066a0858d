// A job as callers see it in a status, a list or a webhook: the guide's fields, and this API's own beside them.

import { imagesOf, type JobImage, type JobOutput, kindOfOutput } from './job-output.ts';
import type { JobState } from './job-state.ts';
import { outwardPromptId } from './names.ts';
import type { JobRequest } from './request.ts';
import { traceIdOf } from './trace.ts';

/** What views show of a request. */
export const SHOWN = [
  'jobId',
  'workflow',
  'inputs',
  'notes',
  'seedInput',
  'metadata',
  'priority',
  'trace',
] as const satisfies readonly (keyof JobRequest)[];
export type ShownRequest = Pick<JobRequest, (typeof SHOWN)[number]>;

/** The prompt as it was typed; "" for a workflow without one. */
export function promptOf({ inputs }: Pick<JobRequest, 'inputs'>): string {
  const prompt = inputs['prompt'];
  return typeof prompt === 'string' ? prompt : '';
}

/** The seed in use, and as text for clients whose numbers have 53 bits. Both null where there is none. */
export function seedOf({ inputs, seedInput = 'seed' }: Pick<JobRequest, 'inputs' | 'seedInput'>) {
  const seed = inputs[seedInput];
  return typeof seed === 'number' || typeof seed === 'bigint'
    ? { seed, seed_text: String(seed) }
    : { seed: null, seed_text: null };
}

const promptIds = new WeakMap<ShownRequest, string>();

/** Hashed once for a request that a process keeps, since callers ask for a status again and again. */
function promptIdOf(request: ShownRequest): string {
  const known = promptIds.get(request);
  if (known !== undefined) return known;
  const promptId = outwardPromptId(request.jobId);
  promptIds.set(request, promptId);
  return promptId;
}

/** The fields that every view of a job has. Times in ISO 8601, UTC. */
export function jobView({ state, request }: { state: JobState; request: ShownRequest }) {
  return {
    job_id: state.jobId,
    prompt_id: promptIdOf(request),
    status: state.status,
    prompt: promptOf(request),
    progress: state.progress,
    current_step: state.currentStep,
    total_steps: state.totalSteps,
    output_image: imagesOf(state)[0]?.filename ?? null,
    error: state.error ?? null,
    error_code: state.errorCode ?? null,
    created_at: iso(state.createdAt),
    started_at: iso(state.startedAt),
    completed_at: iso(state.endedAt),
    workflow: request.workflow,
    metadata: request.metadata ?? {},
    priority: request.priority ?? ('normal' as const),
    ...seedOf(request),
    attempts: state.attempt,
    trace_id: traceIdOf(request),
    notes: [...request.notes, ...(state.notes ?? [])],
    simulated: state.simulated ?? false,
    gpu_seconds: state.gpuMs === undefined ? null : state.gpuMs / 1000,
    cost_usd: state.costMicroUsd === undefined ? null : state.costMicroUsd / 1_000_000,
  };
}

/** Without a link, since links expire and file names do not. */
export function imageView(image: JobImage) {
  return {
    filename: image.filename,
    width: image.width,
    height: image.height,
    size_bytes: image.sizeBytes,
    content_type: image.contentType,
  };
}

/** @param order from 1, within the job */
export function outputView(output: JobOutput, order: number) {
  return {
    filename: output.filename,
    node: output.node,
    order,
    kind: kindOfOutput(output),
    content_type: output.contentType,
    size_bytes: output.sizeBytes,
    sha256: output.sha256 ?? null,
    width: output.width ?? null,
    height: output.height ?? null,
  };
}

/** ms to ISO 8601 in UTC; undefined to null. */
export function iso(time: number): string;
export function iso(time: number | undefined): string | null;
export function iso(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
