// Limits reads generously, by owner and in this process, and also what has no limit of its own: cancelling, removing,
// sending again. So one caller's loop does not slow down the others. No table is involved, so that a refused request
// costs nothing.

import type { MiddlewareHandler } from 'hono';
import { bucketOf, tokenEvery } from '../../core/quota.ts';
import type { ApiEnv } from '../deps.ts';
import { addressesOf, type Mounted } from '../http/route.ts';
import { hasLimits } from './limits.ts';
import { refuseRate } from './refusals.ts';

/** The longest quiet ones are forgotten: their buckets are full again. */
const OWNERS = 1000;

/**
 * @param perMinute undefined: unlimited; @param now ms
 * @param routes those that refuse too many requests themselves count theirs in the table
 */
export function limitReads(
  perMinute: number | undefined,
  now: () => number,
  routes: readonly Pick<Mounted, 'route' | 'alsoAtRoot' | 'errors'>[],
): MiddlewareHandler<ApiEnv> {
  const own = new Set(
    routes.flatMap((route) => (route.errors?.includes('too_many_requests') ? addressesOf(route) : [])),
  );
  const fullAt = new Map<string, number>();
  return (c, next) => {
    const caller = c.get('caller');
    if (perMinute === undefined || !hasLimits(caller) || own.has(`${c.req.method} ${c.req.path}`))
      return next();
    const { owner } = caller;
    // A clock that was set back makes no caller wait.
    const known = Math.min(fullAt.get(owner) ?? 0, now() + perMinute * tokenEvery(perMinute));
    refuseRate({ owner, fullAt: known }, perMinute, now(), 'reads');
    const { fullIn } = bucketOf(known, perMinute, now());
    fullAt.delete(owner);
    if (fullAt.size >= OWNERS) fullAt.delete(fullAt.keys().next().value!);
    fullAt.set(owner, now() + fullIn + tokenEvery(perMinute));
    return next();
  };
}
