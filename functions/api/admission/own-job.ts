// The job that a caller asks for, and whose place among the open connections it takes.

import { type Caller, sees } from '../../core/access.ts';
import type { Job } from '../../core/job.ts';
import type { JobReader } from '../caches/job-reader.ts';
import { jobNotFound } from '../http/parameters.ts';
import { hasLimits } from './limits.ts';

/** @throws AppError job_not_found, for another's as for one that there is not */
export async function ownJob({ reader }: { reader: JobReader }, caller: Caller, jobId: string): Promise<Job> {
  const job = await reader.read(jobId);
  if (!job || !sees(caller, job.state.owner)) throw jobNotFound();
  return job;
}

/** Without keys there is one caller, whose all places are. */
export function sharerOf(caller: Caller): string | undefined {
  return hasLimits(caller) ? caller.owner : undefined;
}
