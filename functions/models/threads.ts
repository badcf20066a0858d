// Worker threads that fetch parts: on one core, hashing, decrypting and copying take longer than the network. Each fetches
// several at once, since one connection to S3 gives 85 to 90 MB/s on any machine.

import { Worker } from 'node:worker_threads';
import { type Pool, createPool } from './pool.ts';
import type { PartTask } from './part.ts';
import { ModelsProblem } from './problem.ts';

export interface Question {
  id: number;
  task: PartTask;
  url: string;
}
/** An error's class is lost between threads; its message is kept. */
export type Answer = { id: number } & ({ fetched: number } | { problem: string });

export interface Threads extends Pool<PartTask, number> {
  close(): Promise<void>;
}

export interface ThreadOptions {
  threads: number;
  /** Per thread. */
  connections: number;
  /** A presigned link to an object, valid for longer than one part takes. */
  link(key: string): Promise<string>;
}

/** @param program part-thread.ts */
export function startThreads(program: URL, { threads, connections, link }: ThreadOptions): Threads {
  const workers = Array.from({ length: threads }, () => startThread(program));
  const slots = Array.from({ length: connections }, () =>
    workers.map(
      ({ ask }) =>
        async (task: PartTask) =>
          ask(task, await link(task.key)),
    ),
  );
  return {
    ...createPool(slots.flat()),
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
    ask: (task: PartTask, url: string) =>
      new Promise<number>((resolve, reject) => {
        if (ended) return reject(ended);
        const id = (ids += 1);
        asked.set(id, { resolve, reject });
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        return worker.postMessage({ id, task, url } satisfies Question);
      }),
    end: () => worker.terminate(),
  };
}
