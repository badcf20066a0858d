// One step of one small image in the host's own ComfyUI before its first job: it loads models and compiles kernels before
// a caller waits. It is no job: no table has it, no metric counts it, its files are removed. It ends within its limit.

import { randomUUID } from 'node:crypto';
import { type ComfyUI, ComfyUIError } from '../../comfyui/client.ts';
import { leastOf } from '../../core/least-work.ts';
import { WARM_UP_LIMIT } from '../../core/limits.ts';
import { attemptPromptId, stampOf } from '../../core/names.ts';
import type { Graph, ObjectInfo } from '../../core/object-info.ts';
import { outcomeOf } from '../../core/outcome.ts';
import { type Staging, stamp } from '../../core/render.ts';
import type { Log } from '../../log.ts';
import type { Cleanup } from '../prompts/cleanup.ts';
import { removePrompt } from '../prompts/removal.ts';
import type { InputStaging } from '../inputs/staging.ts';

export interface WarmUpDeps {
  comfyui: ComfyUI;
  staging: InputStaging;
  cleanup: Cleanup;
  log: Log;
  /** Resolves after a while. */
  pause(attempt: number): Promise<void>;
  /** Milliseconds that this machine has been awake since some moment. */
  awake(): number;
  clientId(): string;
  /** ComfyUI's nodes, if known. */
  nodes(): ObjectInfo | undefined;
  /** Ms; absent: WARM_UP_LIMIT. */
  limit?: number | undefined;
}

/** A whole graph, and the images that it reads. */
export interface Work {
  graph: Graph;
  staging: readonly Staging[];
}

const ATTEMPT = 1;

/** Returns why it failed; undefined if it succeeded. Never throws. */
export async function warmUp(deps: WarmUpDeps, { graph, staging }: Work): Promise<string | undefined> {
  const { comfyui, cleanup, awake, limit = WARM_UP_LIMIT } = deps;
  const id = randomUUID();
  const promptId = attemptPromptId(id, ATTEMPT);
  const giveUp = awake() + limit;
  const isLate = () => awake() >= giveUp;
  const release = deps.staging.hold(staging);
  try {
    const staged = await deps.staging.stage(staging, id, AbortSignal.timeout(limit));
    if (staged !== 'staged') return 'an image that it reads cannot be had';
    const submission = await comfyui.submit({
      // Without a prompt tag: no run adopts it, removes it or restarts ComfyUI for it.
      graph: stamp(leastOf(graph), id, ATTEMPT, staging, deps.nodes()),
      promptId,
      clientId: deps.clientId(),
      extraData: {},
    });
    if (!submission.accepted) return `ComfyUI refused it: ${submission.message}`;
    const entry = await untilEnded(deps, submission.promptId, isLate);
    if (entry === 'vanished') return 'ComfyUI restarted or forgot it';
    if (entry === undefined) {
      await removePrompt(comfyui, submission.promptId, deps.pause);
      return `it had not ended after ${Math.round(limit / 1000)} s`;
    }
    const outcome = outcomeOf(entry, stampOf(id, ATTEMPT));
    if (outcome.kind === 'failed') return outcome.failure.message;
    return outcome.kind === 'lost' ? outcome.reason : undefined;
  } catch (error) {
    if (!(error instanceof ComfyUIError)) deps.log.error('warm_up.crashed', error);
    return (error as Error).message;
  } finally {
    cleanup.ofPrompt(promptId);
    cleanup.ofAttempt(id, ATTEMPT);
    release();
  }
}

/** Returns undefined past the limit. A ComfyUI that is silent for a moment may be loading a model. */
async function untilEnded({ comfyui, pause }: WarmUpDeps, promptId: string, isLate: () => boolean) {
  let absences = 0;
  while (!isLate()) {
    try {
      // The queue before the history: a prompt that ends in between is in one of them.
      const { running, pending } = await comfyui.queue();
      const entry = await comfyui.history(promptId);
      if (entry) return entry;
      absences = [...running, ...pending].some((item) => item.promptId === promptId) ? 0 : absences + 1;
      if (absences >= 2) return 'vanished';
    } catch (error) {
      if (!(error instanceof ComfyUIError)) throw error;
    }
    await pause(0);
  }
  return undefined;
}
