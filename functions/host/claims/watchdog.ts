// Once a second while the host holds anything: breaks off attempts whose job is cancelled or elsewhere by now, and those
// that hang; touches the others in the table, since the controller sees no more than the table. Spans are in time that this
// machine was awake: the clock by which a job was accepted or claimed may have been set since.

import { isHeldBy, type JobState } from '../../core/job.ts';
import { JOB_EXPIRES_AFTER } from '../../core/limits.ts';
import type { Timings } from '../../core/timings.ts';
import type { Jobs } from '../../store/jobs.ts';
import type { HeldJob, Stop } from './held-job.ts';
import type { Slots } from './slots.ts';

/** What a person reads of an attempt that is broken off. */
const NO_PROGRESS = 'it made no progress within its deadline';
const NOT_STARTED = 'it did not start within an hour';
const NOT_STORED = 'The images of the job could not be stored within 24 hours';
const tooLong = (ms: number) => `The job ran for ${Math.round(ms / 1000)} s and had not ended`;

/**
 * One round: a strong read of all held jobs.
 * @param awake ms; asked every round, since it counts too little otherwise
 * @throws what the table throws
 */
export async function runWatchdog(
  jobs: Jobs,
  slots: Slots,
  awake: () => number,
  timings: Timings,
): Promise<void> {
  awake();
  const held = slots.all().filter(({ claimed }) => claimed !== undefined);
  if (held.length === 0) return;
  const states = await jobs.readStates(
    held.map(({ jobId }) => jobId),
    { consistent: true },
  );
  const byId = new Map(states.map((state) => [state.jobId, state]));
  for (const heldJob of held) {
    const state = byId.get(heldJob.jobId);
    if (!state || !isHeldBy(state, heldJob.claimed!.fence)) {
      heldJob.stop('gone');
      continue;
    }
    const at = awake();
    heldJob.seen(at, state.previewsUntil);
    const late = lateness(heldJob, state, at, timings);
    if (late) heldJob.stop(late);
    else heldJob.reportLife();
  }
}

function lateness(
  heldJob: HeldJob,
  state: JobState,
  awake: number,
  { jobLimit, jobDeadline }: Timings,
): Stop | undefined {
  // A slow bucket is not the job's fault: the attempt lives as long as it tries to store its images.
  if (heldJob.phase === 'uploading')
    return awake - (heldJob.uploadsSince ?? awake) > JOB_EXPIRES_AFTER ? { tooLong: NOT_STORED } : undefined;
  const { runLimit = jobLimit } = state;
  if (heldJob.ranFor() > runLimit) return { tooLong: tooLong(runLimit) };
  // Behind another in ComfyUI's queue it waits as long as that one runs.
  if (state.status === 'queued')
    return awake - (heldJob.heldSince ?? awake) > jobLimit ? { overdue: NOT_STARTED } : undefined;
  return awake - heldJob.aliveAt > (state.deadline ?? jobDeadline) ? { overdue: NO_PROGRESS } : undefined;
}
