// The checkpoint that is in memory: one, as on a GPU that has room for no second. Loading another takes its time.
export class Checkpoints {
  /** Every load, in order. */
  readonly loads: string[] = [];
  #loaded: string | undefined;
  readonly #loadMs: number;

  constructor(loadMs: number) {
    this.#loadMs = loadMs;
  }

  /** @param work resolves after so much simulated work; rejects when the prompt is interrupted */
  async load(name: string, work: (ms: number) => Promise<void>): Promise<void> {
    if (name === this.#loaded) return;
    this.#loaded = undefined;
    this.loads.push(name);
    await work(this.#loadMs);
    this.#loaded = name;
  }

  forget(): void {
    this.#loaded = undefined;
  }
}
