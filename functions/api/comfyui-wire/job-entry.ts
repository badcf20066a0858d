// One job as ComfyUI's jobs API has it (0.33, comfy_execution/jobs.py): in a list its times and one output to show, asked for alone
// all that the history has.

import { type Job, type JobOutput, type JobState, kindOfOutput } from '../../core/job.ts';
import { extraDataOf } from '../../core/request.ts';
import type { WireDeps } from './deps.ts';
import { beginningOf, endOf, historyEntry, isShownText, shownText } from './history-entry.ts';
import { isOfHistory } from './history.ts';
import { promptIdOf } from './prompts.ts';

export const STATUSES = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'] as const;
export type WireStatus = (typeof STATUSES)[number];

/** Fields without a value are left out. */
export interface JobEntry {
  id: string;
  status: WireStatus;
  priority: number;
  create_time: number;
  execution_start_time?: number;
  execution_end_time?: number;
  execution_error?: Record<string, unknown>;
  outputs_count: number;
  previewable_outputs_count: number;
  preview_output?: Record<string, unknown>;
  workflow_id?: string;
}

export function statusOf({ status }: Pick<JobState, 'status'>): WireStatus {
  if (status === 'queued') return 'pending';
  return status === 'processing' ? 'in_progress' : status;
}

/** The canvas's own id. */
export function workflowIdOf({ request }: Job): string | undefined {
  const { extra_pnginfo: png } = extraDataOf(request) as { extra_pnginfo?: { workflow?: { id?: unknown } } };
  const id = png?.workflow?.id;
  return typeof id === 'string' ? id : undefined;
}

/** As a list has it. */
export async function jobEntry(deps: WireDeps, job: Job): Promise<JobEntry> {
  const { state } = job;
  const workflowId = workflowIdOf(job);
  const about = {
    id: promptIdOf(job),
    status: statusOf(state),
    priority: state.createdAt,
    create_time: state.createdAt,
    outputs_count: 0,
    previewable_outputs_count: 0,
    ...(workflowId !== undefined && { workflow_id: workflowId }),
  };
  if (!isOfHistory(job)) return about;
  const [[, { timestamp: start }]] = beginningOf(job) as [[string, { timestamp: number }]];
  const [ending, said] = endOf(job);
  const files = (state.outputs ?? []).filter((output) => !isShownText(output));
  const preview = await previewOf(deps, state);
  return {
    ...about,
    execution_start_time: start,
    execution_end_time: said['timestamp'] as number,
    ...(ending === 'execution_error' && { execution_error: said }),
    outputs_count: files.length,
    previewable_outputs_count: files.filter(isPreviewable).length,
    ...(preview && { preview_output: preview }),
  };
}

/** Asked for alone. Undefined: its graph is gone, and so is the job soon. */
export async function wholeJob(deps: WireDeps, job: Job): Promise<object | undefined> {
  const [entry, history] = await Promise.all([
    jobEntry(deps, job),
    isOfHistory(job) ? historyEntry(deps, job) : undefined,
  ]);
  if (!isOfHistory(job)) return entry;
  if (!history) return undefined;
  const [, , prompt, extraData] = history.prompt;
  return {
    ...entry,
    outputs: history.outputs,
    execution_status: history.status,
    workflow: { prompt, extra_data: extraData },
  };
}

const SHOWN_KEYS = ['images', 'video', 'audio', '3d', 'text'];

function isPreviewable(output: JobOutput): boolean {
  const { key = 'images' } = output;
  return SHOWN_KEYS.includes(key) || ['video', 'audio', '3d', 'text'].includes(kindOfOutput(output));
}

/** Characters of a text. */
const TEXT_PREVIEW = 1024;

/** An image, a film or a sound before a file of text, and that before a text that a node showed. */
async function previewOf(deps: WireDeps, state: JobState): Promise<Record<string, unknown> | undefined> {
  const shown = (state.outputs ?? []).filter(isPreviewable);
  const files = shown.filter((output) => !isShownText(output));
  const output = files.find((one) => kindOfOutput(one) !== 'text') ?? files[0] ?? shown[0];
  if (!output) return undefined;
  const { node, key = 'images', filename } = output;
  const where = { nodeId: node, mediaType: key };
  if (!isShownText(output)) return { filename, subfolder: '', type: 'output', ...where };
  const text = (await shownText(deps, state, output)) ?? '';
  const isLong = text.length > TEXT_PREVIEW;
  return { content: text.slice(0, TEXT_PREVIEW), ...(isLong && { truncated: true }), ...where };
}
