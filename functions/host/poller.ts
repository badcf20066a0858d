// Follows prompts in ComfyUI: by its socket for speed, by `/queue` and then `/history` for truth. In this order: a
// prompt that ends in between would be in neither the other way round. The socket may drop, stay silent or lie; it
// may cost a second, never a result. Knows prompts, not jobs.

import type { ComfyUI, HistoryEntry, QueueItem } from '../comfyui/client.ts';
import type { ComfyUIEvent } from '../comfyui/events.ts';
import type { ProgressEvent } from '../core/progress.ts';
import type { Log } from '../log.ts';
import { signal } from '../process/signal.ts';

export type Ending =
  | { kind: 'ended'; entry: HistoryEntry }
  /** In neither ComfyUI's queue nor its history, twice. */
  | { kind: 'vanished' };

export interface PromptListener {
  started(): void;
  progressed(event: ProgressEvent): void;
}

export interface FollowedPrompt {
  ended: Promise<Ending>;
  /** From now on its absence counts: it was posted, or perhaps posted. */
  expect(): void;
  stop(): void;
}

interface Followed extends PromptListener {
  promptId: string;
  expected: boolean;
  absences: number;
  end(ending: Ending): void;
}

export interface Poller {
  follow(promptId: string, listener: PromptListener): FollowedPrompt;
  /** To be called with every message of the socket. */
  observe(event: ComfyUIEvent): void;
  /** One look at the truth. @throws ComfyUIError */
  poll(): Promise<void>;
}

/** @param seen is told of every queue item at every poll, with whether somebody here follows it */
export function createPoller(
  comfyui: Pick<ComfyUI, 'queue' | 'history'>,
  log: Log,
  seen: (items: { item: QueueItem; followed: boolean }[]) => void,
): Poller {
  const followed = new Map<string, Followed>();

  const finish = (prompt: Followed, ending: Ending) => {
    if (followed.get(prompt.promptId) !== prompt) return;
    followed.delete(prompt.promptId);
    prompt.end(ending);
  };

  async function lookInHistory(prompt: Followed): Promise<boolean> {
    const entry = await comfyui.history(prompt.promptId);
    if (entry) finish(prompt, { kind: 'ended', entry });
    return entry !== undefined;
  }

  return {
    follow(promptId, listener) {
      const { promise: ended, resolve: end } = signal<Ending>();
      const prompt: Followed = { ...listener, promptId, expected: false, absences: 0, end };
      followed.set(promptId, prompt);
      return {
        ended,
        expect() {
          prompt.expected = true;
        },
        stop() {
          if (followed.get(promptId) === prompt) followed.delete(promptId);
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
            log.error('unreadable event', error, { prompt_id: prompt.promptId, type: event.type });
          }
          // The history entry is made before this message and after `execution_success`.
          if (event.type === 'executing' && event.data.node === null)
            lookInHistory(prompt).catch((error: unknown) =>
              log.debug('history did not answer', { prompt_id: prompt.promptId, error: String(error) }),
            );
          return;
        default:
          // The end is told by the history.
          return;
      }
    },

    async poll() {
      // Who is followed only after the queue was read cannot be missed in it.
      const prompts = [...followed.values()].filter(({ expected }) => expected);
      const { running, pending } = await comfyui.queue();
      seen([...running, ...pending].map((item) => ({ item, followed: followed.has(item.promptId) })));
      const runningIds = new Set(running.map(({ promptId }) => promptId));
      const pendingIds = new Set(pending.map(({ promptId }) => promptId));
      for (const prompt of prompts) {
        if (runningIds.has(prompt.promptId)) prompt.started();
        if (runningIds.has(prompt.promptId) || pendingIds.has(prompt.promptId)) {
          prompt.absences = 0;
        } else if (!(await lookInHistory(prompt))) {
          prompt.absences += 1;
          if (prompt.absences >= 2) finish(prompt, { kind: 'vanished' });
        }
      }
    },
  };
}
