// Worker threads that convert images, since one takes a processor for tenths of a second: few at once, started when there is work
// and ended when there is none. A thread that fails at an image is ended too.

import { availableParallelism } from 'node:os';
import { imageType, type ImageType } from '../sniff.ts';
import {
  type Codec,
  CodecBusy,
  type Converted,
  MAX_CONVERTED_PIXELS,
  MAX_SHRUNK_PIXELS,
  MAX_SOURCE_BYTES,
  type Order,
  Unconvertible,
} from './order.ts';
import { startThread, type Thread } from './start-thread.ts';

export interface CodecOptions {
  threads?: number;
  /** Images that wait for a thread at most. */
  waiting?: number;
  /** Of one image, ms. */
  within?: number;
  /** A thread without work is ended then, ms. */
  idle?: number;
}

const MOST_THREADS = 2;
/** A thread that had a larger one is ended: WebAssembly gives no memory back. */
const SMALL_PIXELS = 5_000_000;

interface Task {
  order: Order;
  source(): Promise<Uint8Array>;
  resolve(converted: Converted): void;
  reject(error: unknown): void;
}

/** @param program the path of thread.ts, bundled */
export function createCodec(
  program: string,
  {
    // One processor is left to what answers.
    threads = Math.max(1, Math.min(MOST_THREADS, availableParallelism() - 1)),
    waiting = 500,
    within = 30_000,
    idle = 20_000,
  }: CodecOptions = {},
): Codec {
  const tasks: Task[] = [];
  const resting = new Map<Thread, NodeJS.Timeout>();
  const working = new Set<Thread>();
  let busy = 0;

  function next(): void {
    while (busy < threads && tasks.length > 0) {
      busy += 1;
      void work(tasks.shift()!).finally(() => {
        busy -= 1;
        next();
      });
    }
  }

  async function work({ order, source, resolve, reject }: Task): Promise<void> {
    try {
      const bytes = await source();
      const { width, height } = readableType(bytes, order);
      const thread = awake();
      working.add(thread);
      const converted = await thread.ask(order, bytes, within).finally(() => working.delete(thread));
      if (width * height <= SMALL_PIXELS) rest(thread);
      else await thread.end();
      resolve(converted);
    } catch (error) {
      reject(error);
    }
  }

  function awake(): Thread {
    const [thread, timer] = resting.entries().next().value ?? [];
    if (!thread) return startThread(program);
    clearTimeout(timer);
    resting.delete(thread);
    return thread;
  }

  function rest(thread: Thread): void {
    const end = () => {
      resting.delete(thread);
      void thread.end();
    };
    resting.set(thread, setTimeout(end, idle).unref());
  }

  return {
    convert: (order, source) =>
      new Promise((resolve, reject) => {
        if (tasks.length >= waiting) return reject(new CodecBusy());
        tasks.push({ order, source, resolve, reject });
        return next();
      }),

    async close() {
      for (const { reject } of tasks.splice(0)) reject(new CodecBusy());
      for (const timer of resting.values()) clearTimeout(timer);
      const all = [...resting.keys(), ...working];
      resting.clear();
      await Promise.all(all.map((thread) => thread.end()));
    },
  };
}

/** By its head, before any pixel takes memory. @throws Unconvertible */
function readableType(bytes: Uint8Array, { side }: Order): ImageType {
  if (bytes.length > MAX_SOURCE_BYTES) throw new Unconvertible(`has over ${MAX_SOURCE_BYTES} bytes`);
  const type = imageType(bytes);
  if (!type) throw new Unconvertible('is no PNG, JPEG or WebP');
  const { width, height } = type;
  const most = side === undefined ? MAX_CONVERTED_PIXELS : MAX_SHRUNK_PIXELS;
  if (width * height > most)
    throw new Unconvertible(`has ${width} × ${height} pixels, over ${most / 1e6} megapixels`);
  return type;
}
