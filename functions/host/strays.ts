// Prompts of ours in ComfyUI that no record explains: of an attempt that was broken off while ComfyUI was silent, or
// posted by a request that came late. They are removed, and until they are gone they keep the executor busy.

import type { ComfyUI, QueueItem } from '../comfyui/client.ts';
import { readMark } from '../core/mark.ts';
import type { Log } from '../log.ts';
import type { Board } from './board.ts';

export interface Strays {
  /** As of the last look: one that runs keeps ComfyUI's only executor. */
  any(): boolean;
  /** Still there after several looks: what waits behind it had better go elsewhere. */
  stuck(): boolean;
  /** It could not be removed: it counts until a queue is read in which it is not. */
  suspect(promptId: string): void;
  /** To be told of every queue that is read. */
  seen(items: { item: QueueItem; followed: boolean }[]): void;
}

/** Looks come once a second while anything is held. */
const STUCK_AFTER = 5;

/** Only what carries this machine's mark: a person may be using ComfyUI's page. */
export function watchStrays(
  comfyui: Pick<ComfyUI, 'deleteQueued' | 'interrupt'>,
  board: Board,
  machineId: string,
  log: Log,
): Strays {
  let promptIds: string[] = [];
  let looks = 0;

  async function remove(): Promise<void> {
    log.warn('removing prompts that nobody remembers', { count: promptIds.length });
    try {
      await comfyui.deleteQueued(promptIds);
      for (const promptId of promptIds) await comfyui.interrupt(promptId);
    } catch (error) {
      log.debug('strays not removed yet', { error: String(error) });
    }
  }

  return {
    any: () => promptIds.length > 0,
    stuck: () => looks >= STUCK_AFTER,
    suspect(promptId) {
      promptIds.push(promptId);
    },
    seen(items) {
      promptIds = items.flatMap(({ item, followed }) => {
        const mark = readMark(item.extraData);
        return !followed && mark?.machine === machineId && !board.has(mark.jobId) ? [item.promptId] : [];
      });
      looks = promptIds.length > 0 ? looks + 1 : 0;
      if (promptIds.length > 0) void remove();
    },
  };
}
