// What ComfyUI's socket would say of a job's change, in ComfyUI's order and shapes. A state holds the node that runs and the steps
// of its sampler, and not what happened in between: a change that skips nodes names the last of them.

import { hasEnded, type Job, type JobState } from '../../core/job.ts';
import type { WireDeps } from './deps.ts';
import { beginningOf, endOf, type Message, nodeOutputs } from './history-entry.ts';
import { isOfHistory } from './history.ts';
import { promptIdOf } from './prompts.ts';

/** @param before what its client has heard of; undefined: nothing */
export async function newsOf(
  deps: Pick<WireDeps, 'images'>,
  job: Job,
  before: JobState | undefined,
): Promise<Message[]> {
  const { state } = job;
  const heard = before?.status === 'processing' && before.attempt === state.attempt ? before : undefined;
  if (state.status === 'queued' || (hasEnded(state) && !isOfHistory(job))) return [];
  const beginning = heard ? [] : beginningOf(job);
  if (!hasEnded(state)) return [...beginning, ...progressOf(job, heard)];
  return [...beginning, ...(await executedOf(deps, job)), endOf(job)];
}

/**
 * Of a prompt that was sent without a client id ComfyUI says to every socket how far its running node is, and that it was
 * interrupted, and nothing else. Source: hijack_progress, add_message and WebUIProgressHandler of 0.33. @param before as of `newsOf`
 */
export function newsToAll(job: Job, before: JobState | undefined): Message[] {
  const { state } = job;
  if (state.status === 'cancelled') return isOfHistory(job) ? [endOf(job)] : [];
  if (state.status !== 'processing') return [];
  const heard = before?.status === 'processing' && before.attempt === state.attempt ? before : undefined;
  return progressOf(job, heard).filter(([type]) => type !== 'executing');
}

/** Said last of all of a prompt that has ended, after how many remain. */
export function executingNothing(job: Job): Message {
  return ['executing', { node: null, prompt_id: promptIdOf(job) }];
}

export function statusOf(remaining: number, sid?: string): Message {
  return [
    'status',
    { status: { exec_info: { queue_remaining: remaining } }, ...(sid !== undefined && { sid }) },
  ];
}

function progressOf(job: Job, heard: JobState | undefined): Message[] {
  const { node, currentStep, totalSteps } = job.state;
  if (node === undefined) return [];
  const ids = { prompt_id: promptIdOf(job) };
  const isNew = heard?.node !== node;
  const entered: Message[] = isNew
    ? [progressState(job, node, 0, 1), ['executing', { node, display_node: node, ...ids }]]
    : [];
  // Once all steps are done they may be those of a sampler that ran before this node.
  const hasSteps = currentStep > 0 && currentStep < totalSteps;
  if (!hasSteps || (!isNew && heard?.currentStep === currentStep)) return entered;
  const [value, max] = [currentStep, totalSteps];
  return [...entered, progressState(job, node, value, max), ['progress', { value, max, ...ids, node }]];
}

function progressState(job: Job, node: string, value: number, max: number): Message {
  const ids = { prompt_id: promptIdOf(job) };
  const shown = { display_node_id: node, parent_node_id: null, real_node_id: node };
  const nodes = { [node]: { value, max, state: 'running', node_id: node, ...ids, ...shown } };
  return ['progress_state', { ...ids, nodes }];
}

async function executedOf(deps: Pick<WireDeps, 'images'>, job: Job): Promise<Message[]> {
  const outputs = await nodeOutputs(deps, job.state);
  return Object.entries(outputs).map(([node, output]) => [
    'executed',
    { node, display_node: node, output, prompt_id: promptIdOf(job) },
  ]);
}
