// Keeps a process small without a limit that could end it: V8 lets garbage grow to many times of what lives, as long
// as the machine has memory. On a laptop there are others; a burst may still take what it needs.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MB = 2 ** 20;
/** So much garbage is worth a collection. */
const GARBAGE = 32 * MB;
const POLLED_EVERY = 1000;

export function collectEarly(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let alive = 0;
  // `process.memoryUsage()` says the same and opens a file for it: with no descriptor left it throws, and that ends all.
  const used = () => getHeapStatistics().used_heap_size;
  const poll = () => {
    if (used() < alive + GARBAGE) return;
    collect();
    alive = used();
  };
  setInterval(poll, POLLED_EVERY).unref();
}
