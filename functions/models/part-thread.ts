// The program of a worker thread (threads.ts): fetches the parts that it is sent. Without the SDK it stays small.

import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { fetchPart } from './part.ts';
import { ModelsProblem } from './problem.ts';
import type { Answer, Question } from './threads.ts';

const port = parentPort!;
/** With jitter, so that parts which failed together are not retried together. */
const pause = (attempt: number) => sleep(Math.min(500 * 2 ** attempt, 10_000) * (0.5 + Math.random() / 2));

async function answer({ id, task, url }: Question): Promise<Answer> {
  try {
    return { id, fetched: await fetchPart(task, { url, pause }) };
  } catch (error) {
    const { message, stack } = error as Error;
    return { id, problem: error instanceof ModelsProblem ? message : (stack ?? message) };
  }
}

port.on('message', (question: Question) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
  void answer(question).then((outcome) => port.postMessage(outcome));
});
