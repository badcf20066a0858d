// Files that jobs read: outputs that were made here, and uploads, which are kept for as long again.

import type { JobOutput, JobState } from '../../core/job.ts';
import { uploadRenewal } from '../../core/limits.ts';
import { type InputKey, keys } from '../../core/names.ts';
import { type ApiDeps, keepOf } from '../deps.ts';

export function inputOfOutput({ jobId, attempt }: JobState, { filename, sha256 }: JobOutput): InputKey {
  return { key: keys.image(jobId, attempt, filename), ...(sha256 !== undefined && { sha256 }) };
}

/** An upload expires by its age in the bucket: using it makes it young again. False: there is none. */
export async function keepUpload(deps: ApiDeps, key: string): Promise<boolean> {
  const { images, now } = deps;
  const head = await images.head(key);
  if (head && now() - head.lastModified.getTime() > uploadRenewal(keepOf(deps))) return images.renew(key);
  return head !== undefined;
}
