// The program of a worker thread (start-thread.ts): converts the images that it is sent.

import { parentPort } from 'node:worker_threads';
import { decoderOf, encoderOf } from './pixels.ts';
import { shrink } from './shrink.ts';
import type { Answer, Question } from './start-thread.ts';

const port = parentPort!;

async function answer({ order, bytes }: Question): Promise<Answer> {
  // A part that is missing is no fault of the image: it ends the thread.
  const [decode, encode] = await Promise.all([decoderOf(bytes), encoderOf(order.format)]);
  try {
    const whole = decode(bytes);
    const pixels = order.side === undefined ? whole : shrink(whole, order.side);
    const { width, height } = pixels;
    return { bytes: encode(pixels, order), width, height };
  } catch {
    return { problem: 'is damaged' };
  }
}

port.on('message', (question: Question) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window's
  void answer(question).then((answered) => port.postMessage(answered));
});
