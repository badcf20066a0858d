// Work under a name of which the one that was begun last counts, however late another answers. Pure but for what it is given to do.

import { signal } from '@preact/signals';
import { unlessAborted } from '../api/pause.ts';

export class Latest {
  readonly #running = signal<ReadonlyMap<string, AbortController>>(new Map());

  /** Whether it runs; what draws it is drawn again when that changes. */
  isRunning(name: string): boolean {
    return this.#running.value.has(name);
  }

  /** What runs under the name is given up first. @throws DOMException AbortError when this was given up */
  async begin<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.giveUp((one) => one === name);
    const ending = new AbortController();
    this.#running.value = new Map([...this.#running.peek(), [name, ending]]);
    try {
      return await unlessAborted(work(ending.signal), ending.signal);
    } finally {
      this.#drop((_, one) => one === ending);
    }
  }

  giveUp(isOne: (name: string) => boolean): void {
    const given = [...this.#running.peek()].filter(([name]) => isOne(name));
    if (given.length === 0) return;
    this.#drop(isOne);
    for (const [, ending] of given) ending.abort();
  }

  #drop(isOne: (name: string, ending: AbortController) => boolean): void {
    this.#running.value = new Map([...this.#running.peek()].filter(([name, ending]) => !isOne(name, ending)));
  }
}
