// Owns the worker: one prompt at a time off the queue, and what is said and kept when it ends.
// Refuses to run two at once, and to go on with what a restart forgot.
import type { PromptQueue } from './queue.ts';
import { Abandoned, PromptRun, type Surroundings } from './prompt-run.ts';
import type { Audience } from './sockets.ts';

export class Executor {
  #run: PromptRun | null = null;
  #lastAudience: Audience = null;
  #emptyCaches = false;
  readonly #queue: PromptQueue;
  readonly #around: Surroundings;

  constructor(queue: PromptQueue, around: Surroundings) {
    this.#queue = queue;
    this.#around = around;
  }

  /** Runs until the queue is closed. */
  async work(): Promise<void> {
    const take = () => this.#queue.take(() => this.#around.faults.mayTake());
    for (let item = await take(); item !== null; item = await take()) {
      const run = new PromptRun(item, this.#around);
      this.#run = run;
      this.#lastAudience = run.audience;
      try {
        const entry = await run.execute();
        this.#run = null;
        this.#queue.done(item, entry);
        // Only now is the history there, though execution_success was sent long before.
        if (run.audience !== null) {
          const data = { node: null, prompt_id: run.promptId };
          this.#around.sockets.send('executing', data, run.audience);
        }
      } catch (error) {
        if (!(error instanceof Abandoned)) throw error;
      }
      if (this.#emptyCaches) this.free();
    }
  }

  /** Without an id: whatever runs. True: something did. */
  interrupt(promptId?: string): boolean {
    if (this.#run === null || (promptId !== undefined && this.#run.promptId !== promptId)) return false;
    this.#run.interrupt();
    return true;
  }

  /** Empties the caches, after the prompt that runs if one does. */
  free(): void {
    this.#emptyCaches = this.#run !== null;
    if (!this.#emptyCaches) this.#around.cache.clear();
  }

  abandon(): void {
    this.#run?.abandon();
    this.#run = null;
    this.#around.cache.clear();
  }

  /** For a client that comes (back) while its prompt runs. */
  nodeRunningFor(client: string): string | null {
    return this.#lastAudience === client ? (this.#run?.lastNode ?? null) : null;
  }
}
