// Confirmed writes: each is repeated until an answer or a strong read shows its
// outcome. A late write could otherwise land on a job that this run no longer tracks.

import { isDeepStrictEqual } from 'node:util';
import { type Change, type Fence, isHeldBy, type JobState } from '../../core/job.ts';
import type { Log } from '../../log.ts';
import type { Jobs } from '../../store/jobs.ts';

/**
 * written: the table has the change. refused: this run still holds the job, but the verb does not apply.
 * gone: this run no longer holds the job and did not write the change.
 */
export type Confirmation = 'written' | 'refused' | 'gone';

export interface Writer {
  jobs: Jobs;
  log: Log;
  /** Resolves after a pause that grows with `attempt`. */
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

/** Whether this change produced the state. */
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

/** Repeats `work` until it resolves. @throws ValidationException: repeating it cannot help */
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
      // The request itself is invalid.
      if ((error as Error).name === 'ValidationException') throw error;
      log.error('table.write_failed', error, { jobId, verb: what });
      await pause(attempt);
    }
  }
}
