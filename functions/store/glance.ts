// What grows with the deployment and is looked at for every request: read again only when it is older than its size allows,
// so that who looks at much pays no more a second than who looks at little.

import { showsLifeWithin, type Timings } from '../core/timings.ts';

/** Hosts that cost next to nothing to read. */
const FEW = 50;
/** ms for each more: so that all of them are about 20 read units a second for whoever looks. */
const FOR_EACH = 10;

/** How old a picture of so many hosts may be, ms: never so old that one that lives looks dead in it. */
export function readLessOften(hosts: number, timings: Timings): number {
  return Math.min(Math.max(0, hosts - FEW) * FOR_EACH, showsLifeWithin(timings));
}

/**
 * @param read a failed one is tried again by the next who asks
 * @param mayBe how old what was read may become, ms; 0: it is read each time
 */
export function createGlance<T>(
  read: () => Promise<T>,
  mayBe: (value: T) => number,
  now: () => number,
): () => Promise<T> {
  let last: { value: T; at: number } | undefined;
  let reading: Promise<T> | undefined;

  async function readNow(): Promise<T> {
    // As old as the moment before it was asked for.
    const at = now();
    try {
      const value = await read();
      last = { value, at };
      return value;
    } finally {
      reading = undefined;
    }
  }

  return async () => {
    const age = last ? now() - last.at : Infinity;
    // A clock that was set back says nothing of the age.
    if (last && age >= 0 && age < mayBe(last.value)) return last.value;
    if (last && mayBe(last.value) === 0) return readNow();
    reading ??= readNow();
    return reading;
  };
}
