// Cancels the jobs that wait, in the order of the queue. The API clears the first of them before it answers; the
// controller clears the rest.

import type { Chore } from '../core/chore.ts';
import { clear } from '../core/job.ts';
import { readWorkOrder } from '../core/names.ts';
import type { Jobs } from '../store/jobs.ts';
import type { QueueEntry } from '../store/work.ts';

const WRITTEN_TOGETHER = 25;
const PAGE = 1000;

export interface ClearDeps {
  jobs: Pick<Jobs, 'listWork' | 'write'>;
  /** The tables' clock, ms. */
  now(): number;
}

/**
 * Cancels held jobs that have not started, and up to `limit` that wait.
 * @returns how many were cancelled, and whether more may wait
 */
export async function clearQueue(
  { jobs, now }: ClearDeps,
  { until, owner }: Pick<Chore, 'until' | 'owner'>,
  limit = Infinity,
): Promise<{ cleared: number; left: boolean }> {
  let cleared = 0;

  async function clearAll(entries: QueueEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += WRITTEN_TOGETHER) {
      const together = entries.slice(from, from + WRITTEN_TOGETHER);
      const written = await Promise.all(together.map(({ jobId }) => jobs.write(jobId, clear(now()))));
      cleared += written.filter(Boolean).length;
    }
  }

  const acceptedBefore = (entries: QueueEntry[]) =>
    entries.filter(({ workOrder }) => readWorkOrder(workOrder).acceptedAt < Number(until));

  await clearAll(acceptedBefore(await jobs.listWork('held', PAGE, undefined, owner)));
  let found = 0;
  for (let after: string | undefined; ;) {
    const page = await jobs.listWork('waiting', PAGE, after, owner);
    const due = acceptedBefore(page);
    await clearAll(due.slice(0, limit - found));
    found += due.length;
    // Read to the end of the queue: a job that was accepted later may stand before one that was accepted earlier.
    if (found > limit) return { cleared, left: true };
    if (page.length < PAGE) return { cleared, left: false };
    if (found === limit) return { cleared, left: true };
    after = page.at(-1)!.workOrder;
  }
}
