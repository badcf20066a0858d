// Keeps a process small without a limit that could end it: V8 lets garbage grow to many times of what lives, as long
// as the machine has memory. On a laptop there are others; a burst may still take what it needs.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MB = 2 ** 20;
/** So much garbage is worth a collection. */
const GARBAGE = 32 * MB;
const LOOKED_AT_EVERY = 1000;

export function collectEarly(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let alive = 0;
  const look = () => {
    if (process.memoryUsage().heapUsed < alive + GARBAGE) return;
    collect();
    alive = process.memoryUsage().heapUsed;
  };
  setInterval(look, LOOKED_AT_EVERY).unref();
}
