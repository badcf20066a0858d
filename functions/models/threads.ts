// Threads that fetch parts: hashing, decrypting and copying take longer on one core than the network does. Each runs
// several at once, for one connection to S3 gives 85 to 90 MB/s, whatever the machine could take.

import { Worker } from 'node:worker_threads';
import { type Crew, createCrew } from './crew.ts';
import type { PartErrand } from './part.ts';
import { ModelsProblem } from './problem.ts';

export interface Question {
  id: number;
  errand: PartErrand;
  url: string;
}
/** An error's class does not pass between threads, its sentence does. */
export type Answer = { id: number } & ({ fetched: number } | { problem: string });

export interface Threads extends Crew<PartErrand, number> {
  close(): Promise<void>;
}

export interface ThreadOptions {
  threads: number;
  /** Of each thread. */
  connections: number;
  /** To an object, signed for as long as one part takes. */
  link(key: string): Promise<string>;
}

/** @param program part-thread.ts */
export function startThreads(program: URL, { threads, connections, link }: ThreadOptions): Threads {
  const workers = Array.from({ length: threads }, () => startThread(program));
  const places = Array.from({ length: connections }, () =>
    workers.map(
      ({ ask }) =>
        async (errand: PartErrand) =>
          ask(errand, await link(errand.key)),
    ),
  );
  return {
    ...createCrew(places.flat()),
    async close() {
      await Promise.all(workers.map(({ end }) => end()));
    },
  };
}

function startThread(program: URL) {
  const worker = new Worker(program);
  const asked = new Map<number, { resolve(fetched: number): void; reject(error: Error): void }>();
  let ids = 0;
  let ended: Error | undefined;
  function endWith(error: Error): void {
    ended ??= error;
    for (const { reject } of asked.values()) reject(ended);
    asked.clear();
  }
  worker.on('message', (answer: Answer) => {
    const { resolve, reject } = asked.get(answer.id)!;
    asked.delete(answer.id);
    if ('fetched' in answer) resolve(answer.fetched);
    else reject(new ModelsProblem(answer.problem));
  });
  worker.on('error', (error) => endWith(error));
  worker.on('exit', () => endWith(new Error('a thread that fetches parts has ended')));
  return {
    ask: (errand: PartErrand, url: string) =>
      new Promise<number>((resolve, reject) => {
        if (ended) return reject(ended);
        const id = (ids += 1);
        asked.set(id, { resolve, reject });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        return worker.postMessage({ id, errand, url } satisfies Question);
      }),
    end: () => worker.terminate(),
  };
}
