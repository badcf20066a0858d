// Rounds of one process: as soon as it is told that something is due, when the next delivery is, and every few seconds
// for what other processes have ended. Never two at once.

import type { Log } from '../log.ts';
import type { Change, JobState } from '../core/job.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Round } from './deliver.ts';

const POLLS_EVERY = 5000;
/** What comes together goes together. */
const GATHERS = 50;

export interface Delivering {
  /** Something is due, or is about to be. */
  nudge(): void;
  /** Resolves when the round under way is over; no other follows. */
  stop(): Promise<void>;
}

/** @param round is asked whether to go on before each delivery */
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
 * The same jobs, which tell when one may have ended that has a webhook: of those that this process has accepted. What
 * it does not know of is found by the next look.
 */
export function notifyingOfEnds(jobs: Jobs, ended: () => void): Jobs {
  let anyHook = false;
  return {
    ...jobs,
    putState(state: JobState, expiresAt: number) {
      anyHook ||= state.webhook !== undefined;
      return jobs.putState(state, expiresAt);
    },
    async write(jobId: string, change: Change) {
      const written = await jobs.write(jobId, change);
      // Also after a refusal: it may be an own write whose answer was lost.
      if (anyHook && change.set.endedAt !== undefined) ended();
      return written;
    },
  };
}
