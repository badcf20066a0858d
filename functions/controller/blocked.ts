// Whether GPU hosts can be started at all, and if not, why: for people, and for the rule that raises. Pure.

import type { Blocked, Fleet } from '../core/fleet.ts';
import { HOST_START_LIMIT, MAX_FAILED_STARTS, REFUSED_RAISE_TRIED_AGAIN_AFTER } from '../core/limits.ts';
import type { Sight } from './instances.ts';

export function blockedBy(
  { now, waiting, launchFailure }: Sight,
  memory: Fleet,
  failedStarts: number,
  unlaunched: number,
  limit: number,
): Blocked | undefined {
  const before = memory.blocked;
  const since = (code: Blocked['code']) => (before?.code === code ? before.at : now);
  if (failedStarts >= MAX_FAILED_STARTS)
    return {
      code: 'never_registered',
      reason: `the last ${failedStarts} that were started did not come up within ${HOST_START_LIMIT / 60_000} minutes; one more is tried every hour`,
      at: failedStarts === memory.failedStarts ? since('never_registered') : now,
    };
  // Auto Scaling goes on trying what it could not launch: it is blocked for as long as that lacks.
  if (launchFailure && unlaunched > 0 && launchFailure.at >= memory.raisedAt)
    return { code: launchFailure.code, reason: launchFailure.reason, at: since(launchFailure.code) };
  if (before?.code === 'raise_refused' && now - before.at < REFUSED_RAISE_TRIED_AGAIN_AFTER) return before;
  if (waiting > 0 && limit <= 0)
    return {
      code: 'no_hosts_allowed',
      reason: 'their number is limited to 0; deploy with a higher maxHosts',
      at: since('no_hosts_allowed'),
    };
  return undefined;
}
