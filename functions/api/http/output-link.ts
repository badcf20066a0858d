// The link by which a job's output, or a file that was made of one, is fetched without a key.

import type { JobOutput, JobState } from '../../core/job.ts';
import { keys } from '../../core/names.ts';
import { servedType } from '../../images/links.ts';
import type { ApiDeps } from '../deps.ts';

export interface LinkedFile {
  key: string;
  /** Under which it is saved. */
  filename: string;
  contentType: string;
}

/** @param origin of the link; undefined: S3's own */
export function linkOfOutput(
  deps: Pick<ApiDeps, 'presigner'>,
  { jobId, attempt }: Pick<JobState, 'jobId' | 'attempt'>,
  { filename, contentType }: Pick<JobOutput, 'filename' | 'contentType'>,
  origin: string | undefined,
): Promise<string> {
  return linkOf(deps, { key: keys.image(jobId, attempt, filename), filename, contentType }, origin);
}

export function linkOf(
  { presigner }: Pick<ApiDeps, 'presigner'>,
  { key, filename, contentType }: LinkedFile,
  origin: string | undefined,
): Promise<string> {
  return presigner.link({ endpoint: origin, key, filename, contentType: servedType(contentType) });
}
