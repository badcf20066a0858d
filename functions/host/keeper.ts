// Once a second while anything is held: what was cancelled or moved on is broken off, and what hangs too.

import { isHeldBy, type JobState } from '../core/job.ts';
import { JOB_DEADLINE, JOB_LIMIT } from '../core/limits.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Board } from './board.ts';
import type { JobRecord } from './record.ts';

/** What an attempt is broken off for, as a person reads it. */
const NO_PROGRESS = 'it made no progress within its deadline';
const NOT_STORED = 'its images could not be stored within an hour';
const TOO_LONG = 'it ran for an hour';

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
      const late = whyOverdue(record, state, now());
      if (late !== undefined) record.stop({ overdue: late });
    }
  }
}

function whyOverdue(record: JobRecord, state: JobState, now: number): string | undefined {
  const stores = record.phase === 'uploading';
  // Behind another in ComfyUI's queue it waits as long as that one runs.
  const since = state.status === 'queued' ? state.claimedAt : state.startedAt;
  if (now - (since ?? now) > JOB_LIMIT) return stores ? NOT_STORED : TOO_LONG;
  // A bucket that hesitates is not the job's fault: what stores its images is alive as long as it tries.
  if (stores || state.status === 'queued') return undefined;
  return now - record.aliveAt > (state.deadline ?? JOB_DEADLINE) ? NO_PROGRESS : undefined;
}
