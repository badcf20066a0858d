// What a former run of this machine left: adopts the jobs that ComfyUI still has, removes other prompts of ours, then deletes
// the former runs' heartbeats, so that the controller returns the other jobs to the queue at once.

import { type ComfyUI, ComfyUIBroken } from '../../comfyui/client.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { readPromptTag } from '../../core/prompt-tag.ts';
import { attemptPromptId } from '../../core/names.ts';
import { traceIdOf } from '../../core/trace.ts';
import type { Hosts } from '../../store/hosts.ts';
import { adoptJob, type Claimed } from './claim.ts';
import type { Writer } from './confirmed-write.ts';

export interface RecoverDeps extends Writer {
  comfyui: ComfyUI;
  hosts: Hosts;
  machineId: string;
  hostId: string;
}

/** @returns the host id of a run; with an empty runId the prefix of all host ids of the machine */
export function hostIdOf(machineId: string, runId: string): string {
  return `${machineId}.${runId}`;
}

/** More than a fleet holds at once. */
const HELD_LIMIT = 1000;

/** @returns the adopted jobs. @throws ComfyUIError, or what the store throws: it is tried again */
export async function recover(deps: RecoverDeps): Promise<Claimed[]> {
  const { comfyui, machineId, hostId } = deps;
  // The queue before the history: a prompt that ends in between is in one of them.
  const { running, pending } = await comfyui.queue();
  const tags = [...running, ...pending].flatMap(({ promptId, extraData }) => {
    const tag = readPromptTag(extraData);
    return tag?.machine === machineId ? [{ ...tag, promptId }] : [];
  });
  const inQueue = new Set(tags.map(({ promptId }) => promptId));
  const held = await deps.jobs.listWork('held', HELD_LIMIT);
  const jobIds = new Set([...tags, ...held].map(({ jobId }) => jobId));

  const adopted: Claimed[] = [];
  // In one batch: the whole fleet's jobs are listed, few of them are held here.
  const states = await deps.jobs.readStates([...jobIds], { consistent: true });
  const elsewhere = new Set(
    states.filter((state) => !isHeldHere(state, machineId)).map(({ jobId }) => jobId),
  );
  for (const jobId of jobIds) {
    if (elsewhere.has(jobId)) continue;
    const job = await deps.jobs.read(jobId);
    // The job is of another deployment that shares this ComfyUI: its prompt stays.
    if (!job) for (const tag of tags) if (tag.jobId === jobId) inQueue.delete(tag.promptId);
    if (!job || !isHeldHere(job.state, machineId)) continue;
    const promptId = attemptPromptId(jobId, job.state.attempt);
    if (!inQueue.has(promptId) && !(await isInHistory(comfyui, promptId))) continue;
    const claimed = await adoptJob(deps, job, hostId);
    if (!claimed) continue;
    const traceId = traceIdOf(job.request);
    deps.log.info('job.adopted', { jobId, hostId, attempt: claimed.fence.attempt, traceId });
    adopted.push(claimed);
    inQueue.delete(promptId);
  }

  await comfyui.cancel([...inQueue]);
  for (const host of await deps.hosts.listCached())
    if (host.machineId === machineId && host.hostId !== hostId) await deps.hosts.remove(host.hostId);
  return adopted;
}

/** An unreadable entry counts: following it ends the job with a reason. */
async function isInHistory(comfyui: ComfyUI, promptId: string): Promise<boolean> {
  try {
    return (await comfyui.history(promptId)) !== undefined;
  } catch (error) {
    if (error instanceof ComfyUIBroken) return true;
    throw error;
  }
}

/** Held by a former run, or by this run's earlier try to recover: it claims nothing before. */
function isHeldHere(state: JobState, machineId: string): boolean {
  return !hasEnded(state) && (state.host ?? '').startsWith(hostIdOf(machineId, ''));
}
