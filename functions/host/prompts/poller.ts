// Follows prompts in ComfyUI: by its socket for speed, by `/queue` and then `/history` for certainty. In this order, a
// prompt that ends in between is in one of them. The socket may drop, stay silent or lie; that
// costs a second, never a result. Knows prompts, not jobs.

import {
  type ComfyUI,
  ComfyUIBroken,
  ComfyUISilent,
  type HistoryEntry,
  type QueueItem,
} from '../../comfyui/client.ts';
import type { ComfyUIEvent } from '../../comfyui/events.ts';
import type { ProgressEvent } from '../../core/progress.ts';
import type { Log } from '../../log.ts';
import { signal } from '../../runtime/deferred.ts';

export type Ending =
  | { kind: 'ended'; entry: HistoryEntry }
  /** It ended, but its history entry could not be read three times. */
  | { kind: 'unreadable'; reason: string }
  /** In neither ComfyUI's queue nor its history at two polls. */
  | { kind: 'vanished' };

export interface PromptListener {
  started(): void;
  progressed(event: ProgressEvent): void;
  /** ComfyUI's queue lists it as running: a sign of life without progress. */
  runs(): void;
  /** It has left the queue: it runs no longer. */
  left(): void;
}

export interface FollowedPrompt {
  ended: Promise<Ending>;
  /** From now on its absence counts. @param reached false: ComfyUI cannot have taken it, it is looked for all the same */
  expect(reached: boolean): void;
  /**
   * ComfyUI went away while this prompt was first in its queue as far as known: it may have crashed ComfyUI. A prompt that
   * waited behind another cannot have.
   */
  mayHaveEndedComfyUI(): boolean;
  /** Whether it is first in ComfyUI's queue as far as known. */
  isNext(): boolean;
  stop(): void;
}

interface Followed extends PromptListener {
  promptId: string;
  expected: boolean;
  /** It was first in the queue when ComfyUI went away. */
  blamed: boolean;
  absences: number;
  unreadable: number;
  end(ending: Ending): void;
}

export interface Poller {
  follow(promptId: string, listener: PromptListener): FollowedPrompt;
  /** Called with every message of the socket. */
  observe(event: ComfyUIEvent): void;
  /** Called when ComfyUI closes the socket: it may have ended. */
  disconnected(): void;
  /** Reads the queue, and the history of prompts that left it. @throws ComfyUIError */
  poll(): Promise<void>;
}

/** Polls, a second apart, of a history entry that cannot be read. */
const UNREADABLE_AFTER = 3;

/** @param seen called at every poll with all queue items, running ones first, and whether each is followed here */
export function createPoller(
  comfyui: Pick<ComfyUI, 'queue' | 'history'>,
  log: Log,
  seen: (items: { item: QueueItem; followed: boolean }[], running: number) => void,
): Poller {
  const followed = new Map<string, Followed>();
  /** ComfyUI's order of work as far as known: its queue at the last poll, then what was posted since. */
  let order: string[] = [];
  /** A prompt is blamed for the present outage. */
  let blaming = false;

  const forget = (prompt: Followed): boolean => {
    if (followed.get(prompt.promptId) !== prompt) return false;
    return followed.delete(prompt.promptId);
  };

  const finish = (prompt: Followed, ending: Ending) => {
    if (!forget(prompt)) return;
    // A prompt that is no longer followed may still run: the next poll shows it.
    order = order.filter((promptId) => promptId !== prompt.promptId);
    prompt.end(ending);
  };

  /** Blames one prompt at most: those behind it had not begun. */
  function wentAway(): void {
    const first = followed.get(order[0] ?? '');
    if (blaming || !first) return;
    blaming = true;
    first.blamed = true;
  }

  async function readHistory(prompt: Followed): Promise<boolean> {
    const entry = await comfyui.history(prompt.promptId);
    if (entry) finish(prompt, { kind: 'ended', entry });
    return entry !== undefined;
  }

  /** An unreadable entry ends its own prompt only. @throws ComfyUISilent, ComfyUIRefused */
  async function foundInHistory(prompt: Followed): Promise<boolean> {
    try {
      return await readHistory(prompt);
    } catch (error) {
      if (!(error instanceof ComfyUIBroken)) throw error;
      prompt.unreadable += 1;
      log.warn('history.entry_unreadable', { promptId: prompt.promptId, error: error.message });
      if (prompt.unreadable >= UNREADABLE_AFTER)
        finish(prompt, { kind: 'unreadable', reason: error.message });
      return true;
    }
  }

  /** If the queue cannot be read, the history still shows ends. @throws what reading the queue throws */
  async function queue(prompts: readonly Followed[]): ReturnType<ComfyUI['queue']> {
    try {
      return await comfyui.queue();
    } catch (error) {
      if (error instanceof ComfyUISilent && error.nobodyThere) wentAway();
      if (!(error instanceof ComfyUISilent)) await pollEnds(prompts);
      throw error;
    }
  }

  /** An unreadable entry is ignored here: whether its prompt has ended is unknown. */
  async function pollEnds(prompts: readonly Followed[]): Promise<void> {
    for (const prompt of prompts)
      try {
        await readHistory(prompt);
      } catch (error) {
        if (!(error instanceof ComfyUIBroken)) throw error;
      }
  }

  return {
    follow(promptId, listener) {
      const { promise: ended, resolve: end } = signal<Ending>();
      const prompt: Followed = {
        ...listener,
        promptId,
        expected: false,
        blamed: false,
        absences: 0,
        unreadable: 0,
        end,
      };
      followed.set(promptId, prompt);
      return {
        ended,
        expect(reached) {
          prompt.expected = true;
          if (reached && !order.includes(promptId)) order.push(promptId);
        },
        mayHaveEndedComfyUI: () => prompt.blamed,
        isNext: () => order[0] === promptId,
        stop() {
          forget(prompt);
        },
      };
    },

    observe(event) {
      const prompt = followed.get(event.data.prompt_id);
      if (!prompt) return;
      switch (event.type) {
        case 'execution_start':
          prompt.started();
          return;
        case 'execution_cached':
        case 'progress':
        case 'progress_state':
        case 'executing':
          try {
            prompt.progressed(event);
          } catch (error) {
            // A malformed message: progress waits for the next one.
            log.error('message.unreadable', error, { promptId: prompt.promptId, type: event.type });
          }
          // The history entry is made before this message and after `execution_success`.
          if (event.type === 'executing' && event.data.node === null)
            foundInHistory(prompt).catch((error: unknown) =>
              log.debug('history.read_failed', { promptId: prompt.promptId, error: String(error) }),
            );
          return;
        default:
          // The history shows the end.
          return;
      }
    },

    disconnected: wentAway,

    async poll() {
      // A prompt that is followed after the queue was read cannot be missing from it.
      const prompts = [...followed.values()].filter(({ expected }) => expected);
      const { running, pending } = await queue(prompts);
      seen(
        [...running, ...pending].map((item) => ({ item, followed: followed.has(item.promptId) })),
        running.length,
      );
      const runningIds = new Set(running.map(({ promptId }) => promptId));
      const pendingIds = new Set(pending.map(({ promptId }) => promptId));
      blaming = false;
      order = [...new Set([...runningIds, ...pendingIds, ...order.filter((id) => followed.has(id))])];
      for (const prompt of prompts) {
        if (runningIds.has(prompt.promptId)) {
          prompt.started();
          prompt.runs();
        }
        if (runningIds.has(prompt.promptId) || pendingIds.has(prompt.promptId)) {
          prompt.absences = 0;
          prompt.blamed = false;
          continue;
        }
        prompt.left();
        if (!(await foundInHistory(prompt))) {
          prompt.absences += 1;
          if (prompt.absences >= 2) finish(prompt, { kind: 'vanished' });
        }
      }
    },
  };
}
