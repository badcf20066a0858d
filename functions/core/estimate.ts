// The capacity that waiting jobs have before them, and for about how long they wait. Pure; an estimate, not a promise.

import type { Blocked, Fleet } from './fleet.ts';
import { instanceOf } from './host.ts';
import { JOB_SECONDS_GUESS, START_SECONDS_GUESS } from './limits.ts';

/** The capacity and the work ahead of the waiting jobs. */
export interface Estimate {
  /** Hosts that claim jobs. */
  ready: number;
  /** Hosts that are up but drain, or whose ComfyUI is silent. */
  busyOtherwise: number;
  /** Why a host claims nothing although its ComfyUI answers. */
  trouble?: string | undefined;
  /** Seconds until each starting host should be up; includes hosts that are about to be started. */
  startingIn: number[];
  /** Mean GPU time of a job. */
  secondsPerJob: number;
  /** The number of held jobs. */
  held: number;
  blocked?: Pick<Blocked, 'reason'> | undefined;
  /** Ids of waiting jobs that hosts skip for missing requirements. */
  unrunnable?: ReadonlySet<string>;
}

/** @param hosts those alive; @param fleet `UNKNOWN_FLEET` without scaling; @param held number of jobs; @param now ms */
export function estimateOf(
  hosts: readonly {
    state: 'ready' | 'draining';
    comfyui: boolean;
    machineId: string;
    instanceId?: string;
    unrunnable?: string[];
    trouble?: string;
  }[],
  fleet: Fleet,
  held: number,
  now: number,
): Estimate {
  const ready = hosts.filter(({ state, comfyui }) => state === 'ready' && comfyui).length;
  const start = fleet.secondsPerStart ?? START_SECONDS_GUESS;
  const startingIn = Object.entries(fleet.seen)
    .filter(
      ([id, { upAt, givenUp }]) =>
        upAt === undefined &&
        !givenUp &&
        // A host that fetches models or warms up is not up yet.
        !hosts.some((host) => instanceOf(host) === id && !isStarting(host)),
    )
    .map(([, { firstSeen }]) => Math.max(0, start - (now - firstSeen) / 1000));
  // Wanted by the group, and not launched yet.
  const unlaunched = Math.max(0, fleet.desired - Object.keys(fleet.seen).length);
  for (let n = 0; n < unlaunched; n += 1) startingIn.push(start);
  // A starting host outside the group, as on a laptop, is about to be up.
  for (const host of hosts)
    if (isStarting(host) && !Object.hasOwn(fleet.seen, instanceOf(host))) startingIn.push(0);
  if (hosts.length === 0 && startingIn.length === 0 && !fleet.blocked) startingIn.push(start);
  return {
    ready,
    busyOtherwise: hosts.filter((host) => !isStarting(host)).length - ready,
    trouble: hosts.find(
      (host) => !host.comfyui && host.trouble && !isSilence(host.trouble) && !isStarting(host),
    )?.trouble,
    startingIn: startingIn.sort((a, b) => a - b),
    secondsPerJob: fleet.secondsPerJob ?? JOB_SECONDS_GUESS,
    held,
    blocked: fleet.blocked,
    unrunnable: new Set([
      ...hosts.flatMap((host) => host.unrunnable ?? []),
      ...Object.keys(fleet.unrunnable ?? {}),
    ]),
  };
}

/**
 * Whole seconds until a waiting job is done.
 * @param position in the queue, from 1; null: too far back to be counted
 * @returns null where no host claims jobs and none is starting
 */
export function etaSeconds(position: number | null, estimate: Estimate): number | null {
  if (position === null || estimate.secondsPerJob <= 0) return null;
  const before = estimate.held + position;
  const starting = estimate.blocked ? [] : estimate.startingIn;
  // The host that is free first claims the next job: `before` jobs are done at the first moment at which the whole jobs
  // of all hosts add up to that number.
  const freeAt = [...Array.from({ length: estimate.ready }, () => 0), ...starting];
  if (freeAt.length === 0) return null;
  const doneBy = (time: number) =>
    freeAt.reduce(
      (sum, free) => sum + Math.max(0, Math.floor((time - free) / estimate.secondsPerJob + 1e-9)),
      0,
    );
  let low = 0;
  let high = Math.ceil(Math.min(...freeAt) + before * estimate.secondsPerJob);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (doneBy(middle) >= before) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** By the `trouble` that the host reports (host/prompts/health.ts): it is up, and does not claim jobs yet. */
export function isStarting({ trouble }: { trouble?: string }): boolean {
  return trouble?.startsWith('comfyui_starting:') ?? false;
}

function isSilence(trouble: string): boolean {
  return /^comfyui_(silent|unreadable):/.test(trouble);
}
