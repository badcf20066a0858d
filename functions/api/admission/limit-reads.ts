// Limits reads generously, by owner and in this process, and also what has no limit of its own: cancelling, removing,
// sending again. So one caller's loop does not slow down the others. No table is involved, so that a refused request
// costs nothing.

import type { MiddlewareHandler } from 'hono';
import type { Caller } from '../../core/access.ts';
import { bucketOf, tokenEvery } from '../../core/quota.ts';
import type { ApiEnv } from '../deps.ts';
import { addressesOf, type Mounted, patternOf } from '../http/route.ts';
import { hasLimits } from './limits.ts';
import { refuseRate } from './refusals.ts';

/** The longest quiet ones are forgotten: their buckets are full again. */
const OWNERS = 1000;

export interface Reads {
  /** @param count what it weighs, of a read @throws Refusal too_many_requests */
  take(caller: Caller, count: number): void;
}

/** @param perMinute undefined: unlimited; @param now ms */
export function createReads(perMinute: number | undefined, now: () => number): Reads {
  const fullAt = new Map<string, number>();
  return {
    take(caller, count) {
      if (perMinute === undefined || !hasLimits(caller)) return;
      const { owner } = caller;
      // A clock that was set back makes no caller wait.
      const known = Math.min(fullAt.get(owner) ?? 0, now() + perMinute * tokenEvery(perMinute));
      refuseRate({ owner, fullAt: known }, perMinute, now(), 'reads');
      const { fullIn } = bucketOf(known, perMinute, now());
      fullAt.delete(owner);
      if (fullAt.size >= OWNERS) fullAt.delete(fullAt.keys().next().value!);
      fullAt.set(owner, now() + fullIn + count * tokenEvery(perMinute));
    },
  };
}

/** @param routes those that refuse too many requests themselves count theirs in the table */
export function limitReads(
  reads: Reads,
  routes: readonly Pick<Mounted, 'route' | 'alsoAtRoot' | 'errors' | 'reads'>[],
): MiddlewareHandler<ApiEnv> {
  const own = new Set(
    routes.flatMap((route) => (route.errors?.includes('too_many_requests') ? addressesOf(route) : [])),
  );
  const lighter = routes.flatMap(({ reads: count, ...route }) =>
    count === undefined ? [] : addressesOf(route).map((at) => ({ at: patternOf(at), count })),
  );
  return (c, next) => {
    const { method, path } = c.req;
    if (own.has(`${method} ${path}`)) return next();
    // HEAD is answered by GET's route.
    const asked = `${method === 'HEAD' ? 'GET' : method} ${path}`;
    reads.take(c.get('caller'), lighter.find(({ at }) => at.test(asked))?.count ?? 1);
    return next();
  };
}
