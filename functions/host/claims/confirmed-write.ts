// Writes of the host that must not be left open: each is repeated until an answer or a strong read says what
// became of it. A late one could otherwise land on a job that nobody here remembers.

import { isDeepStrictEqual } from 'node:util';
import { type Change, type Fence, isHeldBy, type JobState } from '../../core/job.ts';
import type { Log } from '../../log.ts';
import type { Jobs } from '../../store/jobs.ts';

/**
 * written: the table says so, now or before. refused: this run holds the job still, but the verb does not fit.
 * gone: this run holds it no more, and did not write this.
 */
export type Confirmation = 'written' | 'refused' | 'gone';

export interface Writer {
  jobs: Jobs;
  log: Log;
  /** Resolves after a while, in which the table may come back. */
  pause(attempt: number): Promise<void>;
}

export async function writeConfirmed(
  writer: Writer,
  jobId: string,
  change: Change,
  fence: Fence,
): Promise<Confirmation> {
  return untilAnswered(writer, jobId, change.verb, async () => {
    if (await writer.jobs.write(jobId, change)) return 'written';
    const state = await writer.jobs.readState(jobId);
    if (state && carries(state, change, fence)) return 'written';
    return state && isHeldBy(state, fence) ? 'refused' : 'gone';
  });
}

/** Was it this very change that made the state what it is? */
function carries(state: JobState, change: Change, fence: Fence): boolean {
  return (
    state.attempt === fence.attempt &&
    Object.entries(change.set).every(([field, value]) => {
      const found = state[field as keyof JobState];
      return isDeepStrictEqual(found, value);
    }) &&
    change.remove.every((field) => state[field] === undefined)
  );
}

/** Repeats what failed without an answer, for as long as the process lives. */
export async function untilAnswered<T>(
  { log, pause }: Pick<Writer, 'log' | 'pause'>,
  jobId: string,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      // Refused for what it is: it will be refused again.
      if ((error as Error).name === 'ValidationException') throw error;
      log.error('table.write_failed', error, { jobId, verb: what });
      await pause(attempt);
    }
  }
}
