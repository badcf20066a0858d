// Rounds of one process: after a nudge, when the next delivery is due, and every few seconds for jobs that other processes
// ended. Never two at once.

import type { Log } from '../log.ts';
import type { Change, JobState } from '../core/job.ts';
import type { JobRequest } from '../core/request.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Round } from './deliver.ts';

const POLLS_EVERY = 5000;
/** Nudges within this time are served by one round, ms. */
const GATHERS = 50;

export interface Delivering {
  /** A delivery is due, or is about to be. */
  nudge(): void;
  /** Resolves when the round under way has ended; no other follows. */
  stop(): Promise<void>;
}

/** @param round gets a function that it calls before each delivery; @param every ms */
export function startDelivering(
  round: (goesOn: () => boolean) => Promise<Round>,
  { log, now, every = POLLS_EVERY }: { log: Log; now(): number; every?: number },
): Delivering {
  let stopped = false;
  let nudged = false;
  let timer: NodeJS.Timeout | undefined;
  let underway: Promise<void> | undefined;

  function next(after: number): void {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      underway = run();
    }, after);
  }

  async function run(): Promise<void> {
    nudged = false;
    let wait = every;
    try {
      const { nextDue } = await round(() => !stopped);
      if (nextDue !== undefined) wait = Math.min(every, Math.max(GATHERS, nextDue - now()));
    } catch (error) {
      log.error('round.failed', error, { round: 'webhooks' });
    }
    underway = undefined;
    next(nudged ? GATHERS : wait);
  }

  next(0);
  return {
    nudge() {
      if (nudged) return;
      nudged = true;
      if (!underway) next(GATHERS);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underway;
    },
  };
}

/**
 * The same jobs, calling `ended` when a job with a webhook may have ended, once this process has accepted one. Other
 * processes' jobs are found by the next round.
 */
export function notifyingOfEnds(jobs: Jobs, ended: () => void): Jobs {
  let anyHook = false;
  return {
    ...jobs,
    putState(state: JobState, expiresAt: number) {
      anyHook ||= state.webhook !== undefined;
      return jobs.putState(state, expiresAt);
    },
    putNew(request: JobRequest, state: JobState, expiresAt: number) {
      anyHook ||= state.webhook !== undefined;
      return jobs.putNew(request, state, expiresAt);
    },
    async write(jobId: string, change: Change) {
      const written = await jobs.write(jobId, change);
      // Also after a refusal: it may be this process's own write whose answer was lost.
      if (anyHook && change.set.endedAt !== undefined) ended();
      return written;
    },
  };
}
