// Follows prompts in ComfyUI: by its socket for speed, by `/queue` and then `/history` for truth. In this order: a
// prompt that ends in between would be in neither the other way round. The socket may drop, stay silent or lie; it
// may cost a second, never a result. Knows prompts, not jobs.

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
import { signal } from '../../runtime/signal.ts';

export type Ending =
  | { kind: 'ended'; entry: HistoryEntry }
  /** It ended, but what ComfyUI says of how cannot be read; asked for three times. */
  | { kind: 'unreadable'; reason: string }
  /** In neither ComfyUI's queue nor its history, twice. */
  | { kind: 'vanished' };

export interface PromptListener {
  started(): void;
  progressed(event: ProgressEvent): void;
  /** ComfyUI's queue says that it runs: a sign of life, of no progress. */
  runs(): void;
  /** It was in the queue and is there no more: whatever becomes of it, it runs no longer. */
  left(): void;
}

export interface FollowedPrompt {
  ended: Promise<Ending>;
  /** From now on its absence counts. @param reached false: nobody can have taken it, but let it be looked for */
  expect(reached: boolean): void;
  /**
   * ComfyUI went away while this prompt was posted and nothing was known to be before it: it may be what ended it. What
   * waited behind another cannot be.
   */
  mayHaveEndedComfyUI(): boolean;
  /** Nothing is known to be before it. */
  isNext(): boolean;
  stop(): void;
}

interface Followed extends PromptListener {
  promptId: string;
  expected: boolean;
  /** It was ComfyUI's next or present one when ComfyUI went away. */
  blamed: boolean;
  absences: number;
  unreadable: number;
  end(ending: Ending): void;
}

export interface Poller {
  follow(promptId: string, listener: PromptListener): FollowedPrompt;
  /** To be called with every message of the socket. */
  observe(event: ComfyUIEvent): void;
  /** To be called when ComfyUI closed the socket: it may have ended. */
  disconnected(): void;
  /** One look at the truth. @throws ComfyUIError */
  poll(): Promise<void>;
}

/** Looks, a second apart, at a history entry that cannot be read. */
const UNREADABLE_AFTER = 3;

/** @param seen is told of every queue item at every poll, with whether somebody here follows it, those that run first */
export function createPoller(
  comfyui: Pick<ComfyUI, 'queue' | 'history'>,
  log: Log,
  seen: (items: { item: QueueItem; followed: boolean }[], running: number) => void,
): Poller {
  const followed = new Map<string, Followed>();
  /** As far as it is known, the order in which ComfyUI works: what its queue showed last, then what was posted since. */
  let order: string[] = [];
  /** Somebody is blamed for the outage that lasts. */
  let blaming = false;

  const forget = (prompt: Followed): boolean => {
    if (followed.get(prompt.promptId) !== prompt) return false;
    return followed.delete(prompt.promptId);
  };

  const finish = (prompt: Followed, ending: Ending) => {
    if (!forget(prompt)) return;
    // What is merely followed no more may still be run: the next look at the queue tells.
    order = order.filter((promptId) => promptId !== prompt.promptId);
    prompt.end(ending);
  };

  /** One at most: what stood behind it had not begun. */
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

  /** One entry that cannot be read costs its own job only. @throws ComfyUISilent, ComfyUIRefused */
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

  /** Where the queue cannot be read, the ends at least are told by the history. @throws what the queue threw */
  async function queue(prompts: readonly Followed[]): ReturnType<ComfyUI['queue']> {
    try {
      return await comfyui.queue();
    } catch (error) {
      if (error instanceof ComfyUISilent && error.nobodyThere) wentAway();
      if (!(error instanceof ComfyUISilent)) await pollEnds(prompts);
      throw error;
    }
  }

  /** An entry that cannot be read says nothing here: whether its prompt has ended is not known. */
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
            // A message that is not what it says: progress waits for the next one.
            log.error('message.unreadable', error, { promptId: prompt.promptId, type: event.type });
          }
          // The history entry is made before this message and after `execution_success`.
          if (event.type === 'executing' && event.data.node === null)
            foundInHistory(prompt).catch((error: unknown) =>
              log.debug('history.read_failed', { promptId: prompt.promptId, error: String(error) }),
            );
          return;
        default:
          // The end is told by the history.
          return;
      }
    },

    disconnected: wentAway,

    async poll() {
      // Who is followed only after the queue was read cannot be missed in it.
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
