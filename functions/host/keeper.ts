// Once a second while anything is held: what was cancelled or moved on is broken off, and what hangs too.

import { isHeldBy, type JobState } from '../core/job.ts';
import { JOB_DEADLINE, JOB_LIMIT } from '../core/limits.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Board } from './board.ts';
import type { JobRecord } from './record.ts';

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
    else if (isOverdue(record, state, now())) record.stop('overdue');
  }
}

function isOverdue(record: JobRecord, state: JobState, now: number): boolean {
  // Behind another in ComfyUI's queue it waits as long as that one runs.
  if (state.status === 'queued') return now - (state.claimedAt ?? now) > JOB_LIMIT;
  const silent = now - record.aliveAt > (state.deadline ?? JOB_DEADLINE);
  return silent || now - (state.startedAt ?? now) > JOB_LIMIT;
}
