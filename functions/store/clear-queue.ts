// Cancels what waits, in the order of the queue: the first jobs while somebody waits for the answer, the rest later.

import type { Chore } from '../core/chore.ts';
import { clear } from '../core/job.ts';
import { readWorkOrder } from '../core/names.ts';
import type { Jobs } from './jobs.ts';

const TOGETHER = 25;
const PAGE = 1000;

export interface Clearing {
  jobs: Jobs;
  now(): number;
}

/** What was accepted until a moment. */
export function acceptedUntil(now: number): string {
  return String(now + 1).padStart(13, '0');
}

/** Held jobs that have not started, and up to `limit` that wait. @returns whether some may be left */
export async function clearQueue(
  { jobs, now }: Clearing,
  { until, owner }: Pick<Chore, 'until' | 'owner'>,
  limit = Infinity,
): Promise<{ cleared: number; left: boolean }> {
  let cleared = 0;

  async function clearAll(batch: { jobId: string }[]): Promise<void> {
    for (let from = 0; from < batch.length; from += TOGETHER) {
      const together = batch.slice(from, from + TOGETHER);
      const written = await Promise.all(together.map(({ jobId }) => jobs.write(jobId, clear(now()))));
      cleared += written.filter(Boolean).length;
    }
  }

  const before = (items: { jobId: string; workOrder: string }[]) =>
    items.filter(({ workOrder }) => readWorkOrder(workOrder).acceptedAt < Number(until));

  await clearAll(before(await jobs.listWork('held', PAGE, undefined, owner)));
  let polled = 0;
  for (let after: string | undefined; ;) {
    const page = await jobs.listWork('waiting', PAGE, after, owner);
    const due = before(page);
    await clearAll(due.slice(0, limit - polled));
    polled += due.length;
    // To the end of the queue: what was accepted later may stand before what was accepted earlier.
    if (polled > limit) return { cleared, left: true };
    if (page.length < PAGE) return { cleared, left: false };
    if (polled === limit) return { cleared, left: true };
    after = page.at(-1)!.workOrder;
  }
}
