// What costs too much to read for every request: a process reads it a twentieth of the time at most.

import type { CacheOptions } from '../../core/cache.ts';

const FRESH = 1000;
const SHARE = 20;
/** A value that takes long to read may be so many periods old before an answer waits for a new one. */
const STALE = 10;

/** @param mayBe how old a value may become, ms, if its read is quick; at least a second */
export function seldom<T>(now: () => number, mayBe: (value: T) => number = () => FRESH): CacheOptions<T> {
  return {
    now,
    freshFor: (value, took) => Math.max(FRESH, mayBe(value), took * SHARE),
    staleFor: (fresh) => (fresh === FRESH ? 0 : fresh * STALE),
  };
}
