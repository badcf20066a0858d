// An image that a job is about to read is not removed under it.

import { AppError } from '../../core/errors.ts';
import type { Jobs } from '../../store/jobs.ts';

const LISTED_AT_ONCE = 1000;
/** As many as one BatchGet reads. */
const READ_AT_ONCE = 100;

/** Of the owner's jobs that have not ended; one that is being accepted at this moment is not among them. */
export async function jobThatReads(
  jobs: Reading,
  owner: string,
  isMeant: (key: string) => boolean,
): Promise<string | undefined> {
  for (const work of ['waiting', 'held'] as const)
    for (let after: string | undefined; ;) {
      const page = await jobs.listWork(work, LISTED_AT_ONCE, after, owner);
      for (let from = 0; from < page.length; from += READ_AT_ONCE) {
        const some = page.slice(from, from + READ_AT_ONCE).map(({ jobId }) => jobId);
        for (const { jobId, staging } of (await jobs.readRequests(some)).values())
          if (staging.some(({ key }) => isMeant(key))) return jobId;
      }
      after = page.at(-1)?.workOrder;
      if (page.length < LISTED_AT_ONCE) break;
    }
  return undefined;
}

type Reading = Pick<Jobs, 'listWork' | 'readRequests'>;

/** @param isMeant of keys in the bucket @throws AppError */
export async function refuseIfRead(
  jobs: Reading,
  owner: string,
  isMeant: (key: string) => boolean,
  code: 'upload_in_use' | 'image_in_use',
): Promise<void> {
  const jobId = await jobThatReads(jobs, owner, isMeant);
  if (jobId === undefined) return;
  throw new AppError(
    code,
    `Job ${jobId} reads this image and has not ended: cancel it first (DELETE /api/queue/${jobId})`,
    { job_id: jobId },
  );
}
