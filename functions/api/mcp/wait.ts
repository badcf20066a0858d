// A call that waits for the end of a job, and says how far it is where the client asked for it.

import type { Job } from '../../core/job.ts';
import { heldUntilEnd } from '../facade/held.ts';
import { jobNotFound } from '../http/parameters.ts';
import type { Call, McpDeps } from './deps.ts';

/** @returns the job when it has ended, or as it stands when the time is over @throws AppError job_not_found */
export async function waited(deps: McpDeps, { c, progress }: Call, job: Job, ms: number): Promise<Job> {
  progress(job.state);
  const state = ms > 0 ? await heldUntilEnd(deps, c, job.state, ms, progress) : job.state;
  if (!state) throw jobNotFound();
  return { ...job, state };
}
