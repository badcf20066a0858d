// The head of ComfyUI's queue: a ComfyUI that runs nothing any more is reported as stuck, what this host holds in it goes
// back, and ComfyUI is restarted where that is allowed. How long is too long: prompts/stuck.ts.

import type { QueueItem } from '../../comfyui/client.ts';
import type { ComfyUIEvent } from '../../comfyui/events.ts';
import { readPromptTag } from '../../core/prompt-tag.ts';
import type { ComfyUIHealth } from '../prompts/health.ts';
import type { StuckRule } from '../prompts/stuck.ts';
import type { Slots } from './slots.ts';

export interface QueueHeadDeps {
  slots: Pick<Slots, 'all'>;
  health: Pick<ComfyUIHealth, 'stuck'>;
  rule: StuckRule;
  restart(reason: string): void;
  machineId: string;
}

export interface QueueHead {
  /** Every message of the socket. */
  observe(event: ComfyUIEvent): void;
  /** The socket closed: ComfyUI may have been restarted. */
  moved(): void;
  /** @param first item of the queue; @param runs: ComfyUI runs something */
  judge(first: QueueItem | undefined, runs: boolean): void;
}

export function watchQueueHead({ slots, health, rule, restart, machineId }: QueueHeadDeps): QueueHead {
  let stuckPromptId: string | undefined;

  function moved(): void {
    stuckPromptId = undefined;
    health.stuck(undefined);
  }

  return {
    observe(event) {
      rule.observe(event);
      moved();
    },
    moved,
    judge(first, runs) {
      const heldJob = slots
        .all()
        .find(({ promptId }) => promptId !== undefined && promptId === first?.promptId);
      const still = rule.poll(
        first && {
          promptId: first.promptId,
          runs,
          ours: heldJob && { classOf: heldJob.classOf, deadline: heldJob.claimed?.state.deadline },
          brokenOff: heldJob === undefined && readPromptTag(first.extraData)?.machine === machineId,
        },
      );
      // An empty queue is no sign of life: what waited in it was taken back.
      if (runs && first?.promptId !== stuckPromptId) moved();
      if (still === undefined) {
        if (stuckPromptId !== undefined) restart('ComfyUI is still stuck');
        return;
      }
      stuckPromptId = first?.promptId;
      const reason = `ComfyUI is stuck: the head of its queue has not moved for ${Math.round(still / 1000)} s`;
      health.stuck(reason);
      heldJob?.stop({ stuck: reason });
      for (const other of slots.all()) if (other !== heldJob) other.drain(reason);
      restart(reason);
    },
  };
}
