// Once a second while anything is held: what was cancelled or moved on is broken off, and what hangs too.

import { isHeldBy, type JobState } from '../core/job.ts';
import { JOB_DEADLINE, JOB_LIMIT } from '../core/limits.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Board } from './board.ts';
import type { JobRecord, Stop } from './record.ts';

/** What an attempt is broken off for, as a person reads it. */
const NO_PROGRESS = 'it made no progress within its deadline';
const NOT_STARTED = 'it did not start within an hour';
const NOT_STORED = 'The images of the job could not be stored within an hour of its start';
const TOO_LONG = 'The job ran for an hour and had not ended';

export async function keep(jobs: Jobs, board: Board, now: () => number): Promise<void> {
  const held = board.all().filter(({ claimed }) => claimed !== undefined);
  if (held.length === 0) return;
  const states = await jobs.readStates(
    held.map(({ jobId }) => jobId),
    { consistent: true },
  );
  const byId = new Map(states.map((state) => [state.jobId, state]));
  for (const record of held) {
    const state = byId.get(record.jobId);
    if (!state || !isHeldBy(state, record.claimed!.fence)) record.stop('gone');
    else {
      const late = lateness(record, state, now());
      if (late) record.stop(late);
    }
  }
}

function lateness(record: JobRecord, state: JobState, now: number): Stop | undefined {
  const stores = record.phase === 'uploading';
  if (record.ranFor() > JOB_LIMIT) return { tooLong: stores ? NOT_STORED : TOO_LONG };
  // A bucket that hesitates is not the job's fault: what stores its images is alive as long as it tries.
  if (stores) return undefined;
  // Behind another in ComfyUI's queue it waits as long as that one runs.
  if (state.status === 'queued')
    return now - (state.claimedAt ?? now) > JOB_LIMIT ? { overdue: NOT_STARTED } : undefined;
  return now - record.aliveAt > (state.deadline ?? JOB_DEADLINE) ? { overdue: NO_PROGRESS } : undefined;
}
