// Whether GPU hosts can be started at all, and if not, why: for people, and for the rule that raises. Pure.

import {
  type Blocked,
  type Fleet,
  LAUNCH_PROBLEMS,
  type LaunchProblem,
  type SeenInstance,
  type StartProblem,
} from '../core/fleet.ts';
import {
  HOST_START_LIMIT,
  LAUNCH_TRIED_AGAIN,
  LAUNCH_TRIED_FOR,
  MAX_FAILED_STARTS,
  REFUSED_RAISE_TRIED_AGAIN_AFTER,
} from '../core/limits.ts';
import type { Snapshot } from './instances.ts';

export interface Starts {
  /** In a row, that never came up. */
  failed: number;
  /** Asked for, and not launched. */
  unlaunched: number;
  /** Hosts that there may be. */
  limit: number;
  /** Hosts are wanted. */
  needed: boolean;
  seen: Record<string, SeenInstance>;
}

export function blockedBy(snapshot: Snapshot, memory: Fleet, starts: Starts): Blocked | undefined {
  const { now, group, launchFailure } = snapshot;
  const { failed, unlaunched, limit, needed } = starts;
  const before = memory.blocked;
  const since = (code: StartProblem) => (before?.code === code ? before.at : now);
  if (group.suspended !== undefined && (needed || unlaunched > 0))
    return {
      code: 'launch_suspended',
      reason: `launch suspended (${group.suspended.why}); when its cause is gone: ${group.suspended.resume}`,
      at: since('launch_suspended'),
    };
  if (failed >= MAX_FAILED_STARTS)
    return {
      code: 'never_registered',
      reason: `the last ${failed} that were started did not come up within ${HOST_START_LIMIT / 60_000} minutes; one more is tried every hour`,
      at: failed === memory.failedStarts ? since('never_registered') : now,
    };
  if (launchFailure && launchesFail(snapshot, memory, unlaunched))
    return { code: launchFailure.code, reason: launchFailure.reason, at: since(launchFailure.code) };
  // Between two tries, and while one is under way, nothing is asked for that could fail.
  if (before && isLaunchProblem(before.code) && needed && !launchedSince(before.at, starts.seen))
    return before;
  if (before?.code === 'raise_refused' && now - before.at < REFUSED_RAISE_TRIED_AGAIN_AFTER) return before;
  if (needed && limit <= 0)
    return {
      code: 'no_hosts_allowed',
      reason: 'their number is limited to 0; deploy with a higher maxHosts',
      at: since('no_hosts_allowed'),
    };
  return undefined;
}

/**
 * Whether what was asked for is to be taken back: Auto Scaling would go on trying, also when nothing waits any more, and
 * suspend its launches for good after a day of failures. Source: "Suspend and resume Amazon EC2 Auto Scaling processes".
 */
export function isInVain(snapshot: Snapshot, memory: Fleet, unlaunched: number): boolean {
  const { now, group, launchFailure } = snapshot;
  if (unlaunched > 0 && group.suspended !== undefined) return true;
  if (!launchFailure || !launchesFail(snapshot, memory, unlaunched)) return false;
  return !MAY_PASS.includes(launchFailure.code) || now - memory.raisedAt >= LAUNCH_TRIED_FOR;
}

/** Of one zone, one type or one moment; what is not known may be so too. */
const MAY_PASS: readonly LaunchProblem[] = ['no_capacity', 'launch_failed'];

/** Whether it is time to try one launch again. */
export function mayTryAgain(now: number, { code, at }: Blocked, memory: Fleet, unlaunched: number): boolean {
  if (!isLaunchProblem(code) || unlaunched > 0) return false;
  const { share, soonest, latest } = LAUNCH_TRIED_AGAIN;
  return now - memory.raisedAt >= Math.min(latest, Math.max(soonest, (now - at) * share));
}

/** What failed before the last raise says nothing about it. */
function launchesFail({ launchFailure }: Snapshot, memory: Fleet, unlaunched: number): boolean {
  return launchFailure !== undefined && unlaunched > 0 && launchFailure.at >= memory.raisedAt;
}

function launchedSince(at: number, seen: Record<string, SeenInstance>): boolean {
  return Object.values(seen).some(({ firstSeen }) => firstSeen > at);
}

function isLaunchProblem(code: StartProblem): boolean {
  return LAUNCH_PROBLEMS.some((problem) => problem === code);
}
