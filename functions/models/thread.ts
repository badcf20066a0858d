// A thread for each model file: hashing, decrypting and copying 57 GB takes one core longer than the network does.

import { Worker } from 'node:worker_threads';
import type { ModelFile } from './manifest.ts';
import { ModelsProblem } from './problem.ts';

/** What the thread is told, as its `workerData`. */
export interface Errand {
  file: ModelFile;
  path: string;
}

/** What it tells when it ends: an error's class does not pass between threads, its sentence does. */
export type Outcome = { fetched: number } | { problem: string };

/** @param program which runs the errand where it is not the main thread */
export function inThread(program: URL) {
  return (file: ModelFile, path: string, signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(program, { workerData: { file, path } satisfies Errand });
      const stop = () => void worker.terminate();
      signal.addEventListener('abort', stop, { once: true });
      worker.once('message', (outcome: Outcome) => {
        if ('fetched' in outcome) resolve(outcome.fetched);
        else reject(new ModelsProblem(outcome.problem));
      });
      worker.once('error', reject);
      worker.once('exit', () => {
        signal.removeEventListener('abort', stop);
        // Settled by its message, unless it was stopped before one.
        reject(new ModelsProblem(`${file.filename} was given up: another model failed`));
      });
    });
}
