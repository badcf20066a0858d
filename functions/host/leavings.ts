// What jobs that have ended leave in ComfyUI, removed together once a second: nobody waits for it.

import type { ComfyUI } from '../comfyui/client.ts';
import type { Log } from '../log.ts';

export interface Leavings {
  /** Its history entry is needed no more. */
  ofPrompt(promptId: string): void;
  remove(): Promise<void>;
}

/** ComfyUI forgets the oldest of its 10,000 entries by itself: nothing grows without end when it is silent. */
const REMEMBERED = 10_000;

export function createLeavings(comfyui: Pick<ComfyUI, 'deleteHistory'>, log: Log): Leavings {
  let prompts: string[] = [];
  return {
    ofPrompt(promptId) {
      prompts.push(promptId);
    },
    async remove() {
      if (prompts.length === 0) return;
      const ended = prompts;
      prompts = [];
      try {
        await comfyui.deleteHistory(ended);
      } catch (error) {
        log.debug('history kept', { count: ended.length, error: String(error) });
        prompts = [...ended, ...prompts].slice(-REMEMBERED);
      }
    },
  };
}
