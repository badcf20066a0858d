// A caller clears the queue of what waits: some at once, and what is left by the controller.

import type { Caller } from '../../core/access.ts';
import { acceptedUntil } from '../../core/chore.ts';
import { clearQueue } from '../../queue/clear.ts';
import type { ApiDeps } from '../deps.ts';
import type { Limits } from './limits.ts';

/** So many jobs are cleared before the answer; the controller finishes the rest. */
const CLEARED_AT_ONCE = 1000;

/** @param owner whose jobs; undefined: everybody's */
export async function clearWaiting(
  deps: ApiDeps & { limits: Limits },
  caller: Caller,
  owner: string | undefined,
): Promise<{ cleared: number; remaining: number }> {
  const { jobs, chores, limits, log, now } = deps;
  const whose = { until: acceptedUntil(now()), ...(owner !== undefined && { owner }) };
  const waiting = await jobs.countWork('waiting', owner);
  // Before the first is cleared: if this process dies, the controller clears the rest.
  const chore = waiting > CLEARED_AT_ONCE ? await chores.add({ kind: 'clear', ...whose }) : undefined;
  const { cleared, left } = await clearQueue(deps, whose, CLEARED_AT_ONCE);
  if (chore && !left) await chores.done(chore);
  if (owner !== undefined) await limits.cleared(caller);
  const remaining = left ? Math.max(0, waiting - CLEARED_AT_ONCE) : 0;
  log.info('queue.cleared', { owner, count: cleared, remaining });
  return { cleared, remaining };
}
