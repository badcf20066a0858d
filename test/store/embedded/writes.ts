// What a key has after its n-th write, in a sequence that moves it between the keys of an index, out of it, to another
// expiry and away.

import type { Attributes } from '../../../functions/store/engine.ts';

/** Undefined: removed by it, or not written yet. */
export function itemAfter(jobId: string, n: number): Attributes | undefined {
  if (n % 7 === 0) return undefined;
  return {
    jobId,
    part: 'state',
    v: 1,
    n,
    ...(n % 5 !== 0 && { work: n % 2 === 0 ? 'waiting' : 'held', workOrder: `${n % 3}-${jobId}` }),
    ...(n % 4 === 0 && { hook: 'armed', endedAt: n }),
    ...(n % 6 !== 0 && { expiresAt: 1000 + (n % 8) }),
    padding: 'x'.repeat((n % 10) * 200),
  };
}
