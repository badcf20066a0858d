// One entry of the history, in ComfyUI's shape: the prompt, what its nodes made, and how it ended.

import { type Job, type JobOutput, type JobState, kindOfOutput } from '../../core/job.ts';
import { keys } from '../../core/names.ts';
import { failedNode } from '../../core/outcome.ts';
import { readText } from '../../images/documents.ts';
import type { WireDeps } from './deps.ts';
import { promptIdOf, type QueueItem, queueItem } from './prompts.ts';

/** Node → key → files, or texts. */
export type NodeOutputs = Record<string, Record<string, unknown[]>>;

export interface HistoryEntry {
  prompt: QueueItem;
  outputs: NodeOutputs;
  status: { status_str: 'success' | 'error'; completed: boolean; messages: Message[] };
  meta: Record<string, unknown>;
}

/** As the socket sends it and the history keeps it. */
export type Message = [type: string, said: Record<string, unknown>];

/** Undefined: its graph is gone, and so is the job soon. */
export async function historyEntry(deps: WireDeps, job: Job): Promise<HistoryEntry | undefined> {
  const [prompt, outputs] = await Promise.all([queueItem(deps, job), nodeOutputs(deps, job.state)]);
  if (!prompt) return undefined;
  const completed = job.state.status === 'completed';
  return {
    prompt,
    outputs,
    status: {
      status_str: completed ? 'success' : 'error',
      completed,
      messages: [...beginningOf(job), endOf(job)],
    },
    meta: Object.fromEntries(
      Object.keys(outputs).map((node) => [
        node,
        { node_id: node, display_node: node, parent_node: null, real_node_id: node },
      ]),
    ),
  };
}

/** A published output lies in no subfolder, and is an `output` whatever ComfyUI's own file was. */
export async function nodeOutputs(deps: Pick<WireDeps, 'images'>, state: JobState): Promise<NodeOutputs> {
  const nodes: NodeOutputs = {};
  for (const output of state.outputs ?? []) {
    const { node, key = 'images', filename } = output;
    const text = isShownText(output) ? await shownText(deps, state, output) : undefined;
    const values = ((nodes[node] ??= {})[key] ??= []);
    values.push(text ?? { filename, subfolder: '', type: 'output' });
  }
  return nodes;
}

/** A text that a node showed, rather than a file of text that it saved. */
export function isShownText(output: JobOutput): boolean {
  return output.key === 'text' && kindOfOutput(output) === 'text';
}

/** Undefined: it is gone. */
export function shownText(
  { images }: Pick<WireDeps, 'images'>,
  { jobId, attempt }: JobState,
  { filename }: JobOutput,
): Promise<string | undefined> {
  return readText(images, keys.image(jobId, attempt, filename));
}

/** One that never started began when it was accepted. */
export function beginningOf(job: Job): Message[] {
  const { createdAt, startedAt = createdAt } = job.state;
  const ids = { prompt_id: promptIdOf(job) };
  return [
    ['execution_start', { ...ids, timestamp: startedAt }],
    ['execution_cached', { nodes: [], ...ids, timestamp: startedAt }],
  ];
}

export function endOf(job: Job): Message {
  const { status, createdAt, startedAt = createdAt, endedAt = startedAt, error, errorCode } = job.state;
  const ids = { prompt_id: promptIdOf(job) };
  if (status === 'completed') return ['execution_success', { ...ids, timestamp: endedAt }];
  const at = failedNode(error);
  const node = {
    node_id: at?.node ?? job.state.node ?? null,
    node_type: at?.classType ?? null,
    executed: [],
  };
  if (status === 'cancelled') return ['execution_interrupted', { ...ids, ...node, timestamp: endedAt }];
  return [
    'execution_error',
    {
      ...ids,
      ...node,
      exception_message: at?.message ?? error ?? errorCode,
      exception_type: at?.exception ?? errorCode,
      // Of a host's files, and of what its nodes were given, callers learn nothing.
      traceback: [],
      current_inputs: {},
      current_outputs: [],
      timestamp: endedAt,
    },
  ];
}
