// The output that a caller names: the name alone finds the job, and the job says whether it has such an output.

import { type Caller, sees } from '../../core/access.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { jobIdOfImage } from '../../core/names.ts';
import type { ApiDeps } from '../deps.ts';
import { imageNotFound } from '../http/output-bytes.ts';

/** @throws AppError image_not_found, for another's as for one that there is not */
export async function findOutput(
  { jobs }: Pick<ApiDeps, 'jobs'>,
  caller: Caller,
  filename: string,
): Promise<{ state: JobState; output: JobOutput }> {
  const jobId = jobIdOfImage(filename);
  const state = jobId === undefined ? undefined : await jobs.readState(jobId);
  const output = state?.outputs?.find((one) => one.filename === filename);
  if (!state || !output || !sees(caller, state.owner)) throw imageNotFound();
  return { state, output };
}
