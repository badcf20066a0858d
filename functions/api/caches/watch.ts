// One watcher for all who follow jobs: the table is read strongly once a second, all followed jobs in one batch, however
// many follow. Nobody follows: nothing is read.

import { eventIdOf } from '../../core/event-id.ts';
import type { JobState } from '../../core/job.ts';
import { TIMINGS, type Timings } from '../../core/timings.ts';
import type { Log } from '../../log.ts';
import type { Jobs } from '../../store/jobs.ts';

export interface Watch {
  /**
   * Resolves with the first state that is not as `known`; with `known` itself when nothing happened for `ms` or the
   * signal came; with undefined when the job is gone.
   * @param known read strongly by whoever asks
   */
  change(known: JobState, ms: number, signal: AbortSignal): Promise<JobState | undefined>;
}

interface Follower {
  /** The look that was the last to begin when this one came. */
  cameAfter: number;
  sees(state: JobState | undefined): void;
}

export function createWatch({
  jobs,
  log,
  timings = TIMINGS,
}: {
  jobs: Pick<Jobs, 'readStates'>;
  log: Log;
  timings?: Timings | undefined;
}): Watch {
  const followers = new Map<string, Set<Follower>>();
  let polls = 0;
  let watching = false;

  function pollLater(): void {
    // Whoever follows has a connection that keeps the process.
    setTimeout(() => void poll(), timings.watchEvery).unref();
  }

  async function poll(): Promise<void> {
    const asked = [...followers.keys()];
    watching = asked.length > 0;
    if (!watching) return;
    polls += 1;
    const begun = polls;
    try {
      const states = await jobs.readStates(asked, { consistent: true });
      const found = new Map(states.map((state) => [state.jobId, state]));
      for (const jobId of asked)
        for (const follower of followers.get(jobId) ?? [])
          // Who came while this look was under way may know more than it.
          if (follower.cameAfter < begun) follower.sees(found.get(jobId));
    } catch (error) {
      // The next look may be answered; who has waited long enough leaves by itself.
      log.warn('watch.read_failed', { count: asked.length, error: String(error) });
    }
    pollLater();
  }

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
