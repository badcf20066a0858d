// Which job a prompt id means, and what of a job ComfyUI's wire says in its queue and its history.

import { type Caller, sees } from '../../core/access.ts';
import type { Job } from '../../core/job.ts';
import { isJobId, jobIdFrom, promptKey } from '../../core/names.ts';
import type { Graph } from '../../core/object-info.ts';
import { extraDataOf, type JobRequest } from '../../core/request.ts';
import { readGraph } from '../../images/documents.ts';
import type { WireDeps } from './deps.ts';

/** `[number, prompt id, graph, extra_data, output nodes]`. */
export type QueueItem = [number, string, Graph, Record<string, unknown>, string[]];

/** The client's own, or the job's id. */
export function promptIdOf({ state, request }: Job): string {
  return request.wire?.promptId ?? state.jobId;
}

/** Whose socket hears of it. */
export function clientIdOf(request: JobRequest): string | undefined {
  const { client_id: clientId } = extraDataOf(request);
  return typeof clientId === 'string' ? clientId : undefined;
}

/** Without its graph. Undefined: there is none of this id that the caller sees. */
export async function findPrompt(
  { reader }: Pick<WireDeps, 'reader'>,
  caller: Caller,
  promptId: string,
): Promise<Job | undefined> {
  if (!isJobId(promptId)) return undefined;
  for (const jobId of [jobIdFrom({ owner: caller.owner, key: promptKey(promptId) }), promptId]) {
    const job = await reader.read(jobId);
    if (job && sees(caller, job.state.owner) && promptIdOf(job) === promptId) return job;
  }
  return undefined;
}

/** Its number orders by acceptance. Undefined: its graph is gone, and so is the job soon. */
export async function queueItem(
  { images }: Pick<WireDeps, 'images'>,
  job: Job,
): Promise<QueueItem | undefined> {
  const { state, request } = job;
  const graph = await readGraph(images, request);
  if (!graph) return undefined;
  return [
    state.createdAt,
    promptIdOf(job),
    graph,
    { ...extraDataOf(request), create_time: state.createdAt },
    request.wire?.outputs ?? [],
  ];
}
