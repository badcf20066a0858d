// A caller cancels a job: its own, or any for a key with the scope admin.

import { allows, type Caller, sees } from '../../core/access.ts';
import { cancel, type JobState } from '../../core/job.ts';
import { jobNotFound } from '../http/parameters.ts';
import type { ApiDeps } from '../deps.ts';

/** Undefined: this caller is meant to see everybody's. */
export function onlyOwn(caller: Caller): string | undefined {
  return allows(caller, 'admin') ? undefined : caller.owner;
}

/** @returns undefined: it is cancelled; else how it had ended @throws AppError job_not_found */
export async function cancelJob(
  { jobs, log, now }: ApiDeps,
  caller: Caller,
  jobId: string,
): Promise<JobState | undefined> {
  if (!(await jobs.write(jobId, cancel(now(), onlyOwn(caller))))) {
    const state = await jobs.readState(jobId);
    if (!state || !sees(caller, state.owner)) throw jobNotFound();
    if (state.status !== 'cancelled') return state;
  }
  log.info('job.cancelled', { jobId });
  return undefined;
}
