// One watcher for all who follow jobs: the table is read strongly once a second, all followed jobs in one batch, however
// many follow; a job that this process writes is read at once. Without followers nothing is read.

import { eventIdOf } from '../../core/event-id.ts';
import type { JobState } from '../../core/job.ts';
import { TIMINGS, type Timings } from '../../core/timings.ts';
import type { Log } from '../../log.ts';
import type { Jobs } from '../../store/jobs.ts';

export interface Watch {
  /**
   * Resolves with the first state that is not as `known`; with `known` itself when nothing happened for `ms` or the
   * signal came; with undefined when the job is gone.
   * @param known as the caller has read it, strongly
   */
  change(known: JobState, ms: number, signal: AbortSignal): Promise<JobState | undefined>;
}

interface Follower {
  /** The number of the last poll that had begun when this follower came. */
  cameAfter: number;
  sees(state: JobState | undefined): void;
}

export function createWatch({
  jobs,
  log,
  timings = TIMINGS,
  changes,
}: {
  jobs: Pick<Jobs, 'readStates'>;
  log: Log;
  timings?: Timings | undefined;
  /** Calls `listener` after each write to a job by this process. */
  changes?: ((listener: (jobId: string) => void) => void) | undefined;
}): Watch {
  const followers = new Map<string, Set<Follower>>();
  let polls = 0;
  let watching = false;

  function pollLater(): void {
    // A follower's connection keeps the process alive.
    setTimeout(() => void poll(), timings.watchEvery).unref();
  }

  async function poll(): Promise<void> {
    const asked = [...followers.keys()];
    watching = asked.length > 0;
    if (!watching) return;
    await look(asked);
    pollLater();
  }

  async function look(asked: string[]): Promise<void> {
    polls += 1;
    const begun = polls;
    try {
      const states = await jobs.readStates(asked, { consistent: true });
      const found = new Map(states.map((state) => [state.jobId, state]));
      for (const jobId of asked)
        for (const follower of followers.get(jobId) ?? [])
          // A follower that came during this poll may know a later state.
          if (follower.cameAfter < begun) follower.sees(found.get(jobId));
    } catch (error) {
      // The next poll may succeed; followers leave by their own timeout.
      log.warn('watch.read_failed', { count: asked.length, error: String(error) });
    }
  }

  changes?.((jobId) => {
    if (followers.has(jobId)) void look([jobId]);
  });

  return {
    change: (known, ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve(known);
        const { jobId } = known;
        const before = eventIdOf(known);
        const leave = (state: JobState | undefined) => {
          clearTimeout(late);
          signal.removeEventListener('abort', nothing);
          same.delete(follower);
          if (same.size === 0 && followers.get(jobId) === same) followers.delete(jobId);
          resolve(state);
        };
        const nothing = () => leave(known);
        const follower: Follower = {
          cameAfter: polls,
          sees: (state) => {
            if (!state || eventIdOf(state) !== before) leave(state);
          },
        };
        const late = setTimeout(nothing, ms);
        signal.addEventListener('abort', nothing);
        const same = followers.get(jobId) ?? new Set<Follower>();
        followers.set(jobId, same.add(follower));
        if (!watching) pollLater();
        watching = true;
      }),
  };
}
