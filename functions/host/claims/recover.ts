// What a former run of this machine left behind: adopt what ComfyUI still has, remove the rest from it, then delete
// the former runs' items, so that the controller returns at once what was not adopted.

import { type ComfyUI, ComfyUIBroken } from '../../comfyui/client.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { readPromptTag } from '../../core/prompt-tag.ts';
import { attemptPromptId } from '../../core/names.ts';
import type { Hosts } from '../../store/hosts.ts';
import { adoptJob, type Claimed } from './claim.ts';
import type { Writer } from './confirmed-write.ts';

export interface RecoverDeps extends Writer {
  comfyui: ComfyUI;
  hosts: Hosts;
  machineId: string;
  hostId: string;
}

/** Every host id of a machine begins so. */
export function hostIdOf(machineId: string, runId: string): string {
  return `${machineId}.${runId}`;
}

/** Enough for every slot that a machine ever had. */
const HELD_LIMIT = 1000;

/** The jobs taken over. @throws ComfyUIError, or what the store throws: the start is then tried again. */
export async function recover(deps: RecoverDeps): Promise<Claimed[]> {
  const { comfyui, machineId, hostId } = deps;
  // The queue before the history, here too.
  const { running, pending } = await comfyui.queue();
  const tags = [...running, ...pending].flatMap(({ promptId, extraData }) => {
    const tag = readPromptTag(extraData);
    return tag?.machine === machineId ? [{ ...tag, promptId }] : [];
  });
  const inQueue = new Set(tags.map(({ promptId }) => promptId));
  const held = await deps.jobs.listWork('held', HELD_LIMIT);
  const jobIds = new Set([...tags, ...held].map(({ jobId }) => jobId));

  const adopted: Claimed[] = [];
  // Many at once: the whole fleet's jobs are held, and few of them here.
  const states = await deps.jobs.readStates([...jobIds], { consistent: true });
  const elsewhere = new Set(
    states.filter((state) => !isHeldHere(state, machineId)).map(({ jobId }) => jobId),
  );
  for (const jobId of jobIds) {
    if (elsewhere.has(jobId)) continue;
    const job = await deps.jobs.read(jobId);
    // Of another product's table, whoever's machine id it carries.
    if (!job) for (const tag of tags) if (tag.jobId === jobId) inQueue.delete(tag.promptId);
    if (!job || !isHeldHere(job.state, machineId)) continue;
    const promptId = attemptPromptId(jobId, job.state.attempt);
    if (!inQueue.has(promptId) && !(await isInHistory(comfyui, promptId))) continue;
    const claimed = await adoptJob(deps, job, hostId);
    if (!claimed) continue;
    deps.log.info('job.adopted', { jobId, hostId, attempt: claimed.fence.attempt });
    adopted.push(claimed);
    inQueue.delete(promptId);
  }

  await comfyui.cancel([...inQueue]);
  for (const host of await deps.hosts.glance())
    if (host.machineId === machineId && host.hostId !== hostId) await deps.hosts.remove(host.hostId);
  return adopted;
}

/** An entry that cannot be read is there too: who follows it finds out what to do. */
async function isInHistory(comfyui: ComfyUI, promptId: string): Promise<boolean> {
  try {
    return (await comfyui.history(promptId)) !== undefined;
  } catch (error) {
    if (error instanceof ComfyUIBroken) return true;
    throw error;
  }
}

/** By a former run, or by this one where it tried to recover before: it claims nothing until it has. */
function isHeldHere(state: JobState, machineId: string): boolean {
  return !hasEnded(state) && (state.host ?? '').startsWith(hostIdOf(machineId, ''));
}
