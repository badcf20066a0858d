// One worker thread, which converts one image at a time. An image that takes too long, or breaks it, ends it.

import { Worker } from 'node:worker_threads';
import { type Converted, type Order, Unconvertible } from './order.ts';

export interface Question {
  order: Order;
  bytes: Uint8Array;
}
/** An error's class is lost between threads. */
export type Answer = Converted | { problem: string };

export interface Thread {
  /** @throws Unconvertible; the thread has ended then @param within ms */
  ask(order: Order, bytes: Uint8Array, within: number): Promise<Converted>;
  end(): Promise<unknown>;
}

export function startThread(program: string): Thread {
  // What WebAssembly prints when it gives up is said by its error too.
  const worker = new Worker(program, { stdout: true, stderr: true, env: {} });
  // No program waits for it to end.
  worker.unref();

  return {
    ask: (order, bytes, within) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => refuse('takes too long'), within);
        const settle = () => {
          clearTimeout(late);
          worker.off('message', answered).off('error', failed).off('exit', ended);
        };
        const failed = (error: Error) => {
          settle();
          void worker.terminate();
          reject(error);
        };
        const refuse = (problem: string) => failed(new Unconvertible(problem));
        const ended = () => failed(new Error('The thread that converts images has ended'));
        const answered = (answer: Answer) => {
          if ('problem' in answer) return refuse(answer.problem);
          settle();
          return resolve(answer);
        };
        worker.on('message', answered).on('error', failed).on('exit', ended);
        // A part of a larger buffer would bring all of it along.
        const own = Uint8Array.from(bytes);
        worker.postMessage({ order, bytes: own } satisfies Question, [own.buffer]);
      }),
    end: () => worker.terminate(),
  };
}
