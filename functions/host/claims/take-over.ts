// Once, as soon as ComfyUI answers: takes over what a former run of this machine left. Nothing is claimed before.

import { ComfyUIError } from '../../comfyui/client.ts';
import type { Graph } from '../../core/object-info.ts';
import { readGraph } from '../../images/documents.ts';
import type { Images } from '../../images/images.ts';
import type { ComfyUIHealth } from '../prompts/health.ts';
import type { Claimed } from './claim.ts';
import type { HeldJob } from './held-job.ts';
import { recover, type RecoverDeps } from './recover.ts';
import type { Slots } from './slots.ts';

export interface TakeOverDeps extends RecoverDeps {
  images: Images;
  slots: Slots;
  health: Pick<ComfyUIHealth, 'answers' | 'queueRead'>;
  /** Follows a prompt that is in ComfyUI already to the end of its job. Never throws. */
  resume(heldJob: HeldJob, claimed: Claimed, graph: Graph): Promise<void>;
  /** Gives the job back: its prompt cannot be followed. */
  giveBack(heldJob: HeldJob, claimed: Claimed, reason: string): Promise<void>;
  slotFreed(): void;
}

export interface TakeOver {
  readonly isDone: boolean;
  /** Tries if ComfyUI answers. @throws what the table throws: it is tried again */
  run(): Promise<void>;
}

export function createTakeOver(deps: TakeOverDeps): TakeOver {
  const { slots, health, images, log, hostId } = deps;
  let isDone = false;

  async function resume(heldJob: HeldJob, claimed: Claimed): Promise<void> {
    try {
      const graph = await readGraph(images, claimed.request);
      if (graph) await deps.resume(heldJob, claimed, graph);
      else await deps.giveBack(heldJob, claimed, 'its graph is gone');
    } catch (error) {
      log.error('job.adopt_failed', error, { jobId: heldJob.jobId, hostId, attempt: claimed.fence.attempt });
      await deps.giveBack(heldJob, claimed, 'its graph could not be read');
    } finally {
      slots.forget(heldJob);
      deps.slotFreed();
    }
  }

  return {
    get isDone() {
      return isDone;
    },
    async run() {
      if (isDone || !health.answers) return;
      let adopted: Claimed[];
      try {
        adopted = await recover(deps);
      } catch (error) {
        if (!(error instanceof ComfyUIError)) throw error;
        health.queueRead(error);
        return;
      }
      health.queueRead(undefined);
      for (const claimed of adopted) {
        const heldJob = slots.add(claimed.state.jobId);
        heldJob.hold(claimed);
        void resume(heldJob, claimed);
      }
      isDone = true;
    },
  };
}
