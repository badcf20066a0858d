// Why GPU hosts cannot be started, if so: reported to people and used by the scaling rule. Pure.

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
  /** Consecutive starts that never came up. */
  failed: number;
  /** Desired by the group and not launched. */
  unlaunched: number;
  /** The largest number of hosts allowed. */
  limit: number;
  /** Hosts are wanted. */
  needed: boolean;
  seen: Record<string, SeenInstance>;
}

/** The current problem, with the time since which it lasts; undefined: hosts can be started. */
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
  // Between two tries, and during one, no launch fails: the problem stays until an instance has launched.
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
 * Is the unlaunched capacity to be withdrawn? Auto Scaling would go on trying, even when nothing waits any more, and suspend
 * its launches for good after a day of failures. Source: "Suspend and resume Amazon EC2 Auto Scaling processes".
 */
export function isInVain(snapshot: Snapshot, memory: Fleet, unlaunched: number): boolean {
  const { now, group, launchFailure } = snapshot;
  if (unlaunched > 0 && group.suspended !== undefined) return true;
  if (!launchFailure || !launchesFail(snapshot, memory, unlaunched)) return false;
  return !MAY_PASS.includes(launchFailure.code) || now - memory.raisedAt >= LAUNCH_TRIED_FOR;
}

/** Problems that may concern one zone, type or moment only; an unknown one may as well. */
const MAY_PASS: readonly LaunchProblem[] = ['no_capacity', 'launch_failed'];

/** Is it time to try one launch again? @param now ms */
export function mayTryAgain(now: number, { code, at }: Blocked, memory: Fleet, unlaunched: number): boolean {
  if (!isLaunchProblem(code) || unlaunched > 0) return false;
  const { share, soonest, latest } = LAUNCH_TRIED_AGAIN;
  return now - memory.raisedAt >= Math.min(latest, Math.max(soonest, (now - at) * share));
}

/** A failure from before the last raise does not count. */
function launchesFail({ launchFailure }: Snapshot, memory: Fleet, unlaunched: number): boolean {
  return launchFailure !== undefined && unlaunched > 0 && launchFailure.at >= memory.raisedAt;
}

function launchedSince(at: number, seen: Record<string, SeenInstance>): boolean {
  return Object.values(seen).some(({ firstSeen }) => firstSeen > at);
}

function isLaunchProblem(code: StartProblem): boolean {
  return LAUNCH_PROBLEMS.some((problem) => problem === code);
}
