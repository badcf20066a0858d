// The worker: takes one prompt at a time off the queue, and sends and records how it ended.
// Never runs two at once; a restart abandons the prompt that runs.
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
        // The history entry exists only now, though execution_success was sent long before.
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

  /** Interrupts this prompt, or without an id the one that runs. Returns whether one was interrupted. */
  interrupt(promptId?: string): boolean {
    if (this.#run === null || (promptId !== undefined && this.#run.promptId !== promptId)) return false;
    this.#run.interrupt();
    return true;
  }

  /** Empties the caches, after the running prompt if there is one. */
  free(): void {
    this.#emptyCaches = this.#run !== null;
    if (!this.#emptyCaches) this.#forget();
  }

  abandon(): void {
    this.#run?.abandon();
    this.#run = null;
    this.#forget();
  }

  #forget(): void {
    this.#around.cache.clear();
    this.#around.checkpoints.forget();
  }

  /** The running node, for a client that connects (again) while its prompt runs. */
  nodeRunningFor(client: string): string | null {
    return this.#lastAudience === client ? (this.#run?.lastNode ?? null) : null;
  }
}
