// The link by which a job's output is fetched without a key.

import type { JobOutput, JobState } from '../../core/job.ts';
import { keys } from '../../core/names.ts';
import { servedType } from '../../images/links.ts';
import type { ApiDeps } from '../deps.ts';

/** @param origin of the link; undefined: S3's own */
export function linkOfOutput(
  { presigner }: Pick<ApiDeps, 'presigner'>,
  { jobId, attempt }: Pick<JobState, 'jobId' | 'attempt'>,
  { filename, contentType }: Pick<JobOutput, 'filename' | 'contentType'>,
  origin: string | undefined,
): Promise<string> {
  return presigner.link({
    endpoint: origin,
    key: keys.image(jobId, attempt, filename),
    filename,
    contentType: servedType(contentType),
  });
}
