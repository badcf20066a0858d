// Prompts that wait, run or have run: a prompt is in exactly one of the three at any moment.
// Runs nothing, does not deduplicate prompt ids, and reports only that something changed.
import type { QueueItem } from './graph.ts';

export type Message = [event: string, data: { timestamp: number; [more: string]: unknown }];
export interface HistoryEntry {
  prompt: QueueItem;
  outputs: Record<string, unknown>;
  status: { status_str: 'success' | 'error'; completed: boolean; messages: Message[] };
  meta: Record<string, unknown>;
}
export type NewHistoryEntry = Omit<HistoryEntry, 'prompt'>;

const historyLimit = 10_000;

/** Called for each prompt as it enters the queue, leaves it to run, and enters the history. */
export interface PromptWatcher {
  queued?(item: QueueItem): void;
  started?(item: QueueItem): void;
  ended?(item: QueueItem, entry: NewHistoryEntry): void;
}

export class PromptQueue {
  /** A binary heap, shown in heap order: ComfyUI does not sort pending prompts either. */
  #pending: QueueItem[] = [];
  #running: QueueItem | null = null;
  #history = new Map<string, HistoryEntry>();
  #wake: (() => void) | null = null;
  #closed = false;
  readonly #changed: () => void;
  readonly #watcher: PromptWatcher;

  constructor(changed: () => void, watcher: PromptWatcher = {}) {
    this.#changed = changed;
    this.#watcher = watcher;
  }

  get pending(): readonly QueueItem[] {
    return this.#pending;
  }
  get running(): readonly QueueItem[] {
    return this.#running === null ? [] : [this.#running];
  }
  get remaining(): number {
    return this.#pending.length + this.running.length;
  }

  put(item: QueueItem): void {
    this.#pending.push(item);
    siftUp(this.#pending, this.#pending.length - 1);
    this.#watcher.queued?.(item);
    this.#changed();
    this.#wake?.();
  }

  /**
   * Waits for the item with the lowest number; returns null once the queue is closed.
   * @param may resolves when an item may be taken
   */
  async take(may = () => Promise.resolve()): Promise<QueueItem | null> {
    await may();
    while (this.#pending.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
      await may();
    }
    if (this.#closed) return null;
    this.#running = pop(this.#pending);
    this.#watcher.started?.(this.#running);
    this.#changed();
    return this.#running;
  }

  done(item: QueueItem, entry: NewHistoryEntry): void {
    this.#running = null;
    const oldest = this.#history.keys().next().value;
    if (this.#history.size >= historyLimit && oldest !== undefined) this.#history.delete(oldest);
    this.#history.set(item[1], { prompt: item, ...entry });
    this.#watcher.ended?.(item, entry);
    this.#changed();
  }

  /** Removes one pending item with this id, if there is one; announces as often as ComfyUI does. */
  delete(promptId: string): boolean {
    const at = this.#pending.findIndex((item) => item[1] === promptId);
    if (at < 0) return false;
    if (this.#pending.length === 1) this.clear();
    else {
      this.#pending.splice(at, 1);
      for (let i = (this.#pending.length >> 1) - 1; i >= 0; i--) siftDown(this.#pending, i);
    }
    this.#changed();
    return true;
  }

  clear(): void {
    this.#pending = [];
    this.#changed();
  }

  /** The last `max` entries, or `max` from `offset` on; oldest first. */
  history(max?: number, offset = -1): Record<string, HistoryEntry> {
    const entries = [...this.#history];
    const from = offset < 0 ? (max === undefined ? 0 : Math.max(0, entries.length - max)) : offset;
    const until = max === undefined ? undefined : from + Math.max(1, max);
    return Object.fromEntries(entries.slice(from, until));
  }

  historyOf(promptId: string): Record<string, HistoryEntry> {
    const entry = this.#history.get(promptId);
    return entry === undefined ? {} : { [promptId]: entry };
  }

  forgetHistory(promptIds?: string[]): void {
    if (promptIds === undefined) this.#history.clear();
    else for (const id of promptIds) this.#history.delete(id);
  }

  /** Clears everything as a restart does, without a notification. */
  forget(): void {
    this.#pending = [];
    this.#running = null;
    this.#history.clear();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}

/** Lower number first; ComfyUI compares its tuples, so the id decides between equal numbers. */
function before(a: QueueItem, b: QueueItem): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}

function swap(heap: QueueItem[], a: number, b: number): void {
  [heap[a], heap[b]] = [heap[b]!, heap[a]!];
}

function siftUp(heap: QueueItem[], from: number): void {
  for (let at = from; at > 0;) {
    const parent = (at - 1) >> 1;
    if (!before(heap[at]!, heap[parent]!)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

/** Sifts down to a leaf along the smaller children, then up again, as heapq does: the array is the same. */
function siftDown(heap: QueueItem[], from: number): void {
  let at = from;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    const right = child + 1;
    const smaller = right < heap.length && !before(heap[child]!, heap[right]!) ? right : child;
    swap(heap, at, smaller);
    at = smaller;
  }
  while (at > from) {
    const parent = (at - 1) >> 1;
    if (parent < from || !before(heap[at]!, heap[parent]!)) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function pop(heap: QueueItem[]): QueueItem {
  const first = heap[0]!;
  const last = heap.pop()!;
  if (heap.length > 0) {
    heap[0] = last;
    siftDown(heap, 0);
  }
  return first;
}
