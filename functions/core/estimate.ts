// What a job that waits is waiting for, and how long about: what the api says of it. Pure; an estimate, never a promise.

import type { Blocked, Fleet } from './fleet.ts';
import { JOB_SECONDS_GUESS, START_SECONDS_GUESS } from './limits.ts';

/** What is ahead of the jobs that wait. */
export interface Estimate {
  /** Hosts that take jobs. */
  ready: number;
  /** Hosts that are up, but whose ComfyUI is silent or that drain. */
  busyOtherwise: number;
  /** What is wrong with the ComfyUI of one that takes none, where it answers. */
  trouble?: string | undefined;
  /** For each host that is starting: seconds until it should be up. At least one where one is about to be started. */
  startingIn: number[];
  /** Of GPU time, a job. */
  secondsPerJob: number;
  /** Jobs that hosts hold already. */
  held: number;
  blocked?: Pick<Blocked, 'reason'> | undefined;
  /** Jobs that hosts looked at and left alone. */
  unrunnable?: ReadonlySet<string>;
}

/** @param hosts those alive; @param fleet `UNKNOWN_FLEET` where no controller raises anything; @param now ms */
export function estimateOf(
  hosts: readonly {
    state: 'ready' | 'draining';
    comfyui: boolean;
    machineId: string;
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
        // One that fetches models or warms up is not up.
        !hosts.some((host) => host.machineId === id && !isStarting(host)),
    )
    .map(([, { firstSeen }]) => Math.max(0, start - (now - firstSeen) / 1000));
  // Asked for, or about to be: not launched yet.
  const unlaunched = Math.max(0, fleet.desired - Object.keys(fleet.seen).length);
  for (let n = 0; n < unlaunched; n += 1) startingIn.push(start);
  // One that nobody launched is about to be up.
  for (const host of hosts)
    if (isStarting(host) && !Object.hasOwn(fleet.seen, host.machineId)) startingIn.push(0);
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
 * Seconds until a waiting job is done, in whole ones.
 * @param position in the queue, from 1; null: too far back to say
 * @returns null where nobody can say: no host takes jobs, and none is coming
 */
export function etaSeconds(position: number | null, estimate: Estimate): number | null {
  if (position === null || estimate.secondsPerJob <= 0) return null;
  const before = estimate.held + position;
  const starting = estimate.blocked ? [] : estimate.startingIn;
  // Whoever is free first takes the next job: all hosts together are done with `before` jobs at the first moment at
  // which their whole jobs add up to so many.
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

/** Of a queued job that no host holds. */
export function waitingFor(estimate: Estimate, jobId?: string): string {
  if (jobId !== undefined && estimate.unrunnable?.has(jobId))
    return 'a gpu host with its models and nodes: those that looked at it lack one';
  if (estimate.ready > 0) return 'a free slot';
  if (estimate.blocked) return `no gpu host can be started: ${estimate.blocked.reason}`;
  if (estimate.startingIn.length > 0) return 'gpu host starting';
  return estimate.trouble === undefined
    ? 'ComfyUI to answer'
    : `ComfyUI to run jobs again: ${estimate.trouble}`;
}

/** As the host says it (host/prompts/health.ts): it came, and does not take jobs yet. */
function isStarting({ trouble }: { trouble?: string }): boolean {
  return trouble?.startsWith('comfyui_starting:') ?? false;
}

function isSilence(trouble: string): boolean {
  return /^comfyui_(silent|unreadable):/.test(trouble);
}
