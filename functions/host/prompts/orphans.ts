// Orphans: prompts of ours in ComfyUI that no held job explains, of an attempt that was broken off while ComfyUI was silent or
// posted by a late request. They are removed; until then they keep the executor busy. A prompt
// whose job is not in the table is not ours: another deployment may use the same ComfyUI.

import type { ComfyUI, QueueItem } from '../../comfyui/client.ts';
import { readPromptTag } from '../../core/prompt-tag.ts';
import type { Log } from '../../log.ts';
import type { Jobs } from '../../store/jobs.ts';

export interface Orphans {
  /** Whether the last read queue had an orphan: it keeps ComfyUI's only executor busy. */
  any(): boolean;
  /** Whether orphans survive several polls: jobs behind them should go elsewhere. */
  stuck(): boolean;
  /** Counts a prompt as orphan until a queue is read without it. */
  suspect(promptId: string): void;
  /** Called with every queue that is read. */
  seen(items: { item: QueueItem; followed: boolean }[]): void;
}

/** Polls; one a second while a job is held. */
const STUCK_AFTER = 5;

/** @param isHeld whether this run holds the job; only prompts with this machine's tag, of jobs in the table, count */
export function watchOrphans(
  comfyui: Pick<ComfyUI, 'cancel'>,
  jobs: Pick<Jobs, 'readStates'>,
  isHeld: (jobId: string) => boolean,
  machineId: string,
  log: Log,
): Orphans {
  let promptIds: string[] = [];
  let polls = 0;
  /** Broken off by this run: the table is not asked. */
  const suspected = new Set<string>();
  /** Job id → whether the table has it. Read once, while its prompts are there. */
  let known = new Map<string, boolean>();

  async function ask(jobIds: string[]): Promise<void> {
    const unasked = jobIds.filter((jobId) => !known.has(jobId));
    if (unasked.length === 0) return;
    const states = await jobs.readStates(unasked, { consistent: true });
    for (const jobId of unasked) known.set(jobId, false);
    for (const { jobId } of states) known.set(jobId, true);
    const foreign = unasked.filter((jobId) => known.get(jobId) === false).length;
    if (foreign > 0) log.warn('orphans.skipped', { count: foreign });
  }

  async function remove(orphans: { promptId: string; jobId: string }[]): Promise<void> {
    try {
      await ask(orphans.flatMap(({ promptId, jobId }) => (suspected.has(promptId) ? [] : [jobId])));
      const ours = orphans.filter(({ promptId, jobId }) => suspected.has(promptId) || known.get(jobId));
      promptIds = promptIds.filter((promptId) => ours.some((one) => one.promptId === promptId));
      if (ours.length === 0) return;
      log.warn('orphans.found', { count: ours.length });
      await comfyui.cancel(ours.map(({ promptId }) => promptId));
    } catch (error) {
      log.debug('orphans.removal_failed', { error: String(error) });
    }
  }

  return {
    any: () => promptIds.length > 0,
    stuck: () => polls >= STUCK_AFTER,
    suspect(promptId) {
      suspected.add(promptId);
      promptIds.push(promptId);
    },
    seen(items) {
      const marked = items.flatMap(({ item: { promptId, extraData }, followed }) => {
        const tag = readPromptTag(extraData);
        return tag?.machine === machineId ? [{ promptId, jobId: tag.jobId, followed }] : [];
      });
      known = new Map([...known].filter(([jobId]) => marked.some((one) => one.jobId === jobId)));
      for (const promptId of suspected)
        if (!marked.some((one) => one.promptId === promptId)) suspected.delete(promptId);
      const orphans = marked.filter(
        ({ promptId, jobId, followed }) =>
          !followed && !isHeld(jobId) && (suspected.has(promptId) || known.get(jobId) !== false),
      );
      promptIds = orphans.map(({ promptId }) => promptId);
      polls = orphans.length > 0 ? polls + 1 : 0;
      if (orphans.length > 0) void remove(orphans);
    },
  };
}
