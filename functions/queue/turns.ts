// The turn of a new job among its owner's own: the start tag of the first that waits with a lower priority, which gets the new job's
// instead. Turns are exchanged, never added, so that no other owner waits longer. Source: docs/decisions/8-priority.md.

import { exchange } from '../core/job.ts';
import { priorityIn, readWorkOrder } from '../core/names.ts';
import { isLower, type Priority } from '../core/priority.ts';
import type { Jobs } from '../store/jobs.ts';
import type { QueueEntry } from '../store/work.ts';

type Queued = Pick<Jobs, 'listWork' | 'readState' | 'write'>;

/** Rows of an owner: its first job of lower priority is near the head, or there is none. */
const FIRST_PAGE = 200;
const PAGE = 2000;
/** Jobs that others claim, cancel or exchange while it asks for their turns: of so many that come at once each gets one. */
const REFUSED_AT_MOST = 50;

export interface Turn {
  startTag: number;
  /** The row of the job that went back. */
  moved?: QueueEntry;
}

/**
 * The exchange comes before the new job is put: a process that dies in between costs the owner a turn, and gives it none.
 * @param own the start tag that the new job has as its owner's last
 */
export async function takeTurn(
  jobs: Queued,
  { owner, priority, startTag: own }: { owner: string; priority: Priority; startTag: number },
): Promise<Turn> {
  let refused = 0;
  for await (const row of waitingOf(jobs, owner)) {
    const { startTag } = readWorkOrder(row.workOrder);
    if (startTag >= own || refused === REFUSED_AT_MOST) break;
    if (!isLower(priorityIn(row.workOrder), priority)) continue;
    const change = exchange(row, own);
    const { workOrder } = change.set;
    // Refused by its own write, whose answer was lost?
    if ((await jobs.write(row.jobId, change)) || (await jobs.readState(row.jobId))?.workOrder === workOrder)
      return { startTag, moved: { jobId: row.jobId, workOrder } };
    refused += 1;
  }
  return { startTag: own };
}

/** Of a job that was not put after all. Refused where the other runs by now: then its owner has lost a turn. */
export async function giveTurnBack(jobs: Queued, { startTag, moved }: Turn): Promise<void> {
  if (moved) await jobs.write(moved.jobId, exchange(moved, startTag));
}

/** In the order of start tags. */
async function* waitingOf(jobs: Queued, owner: string): AsyncGenerator<QueueEntry> {
  let after: string | undefined;
  for (let limit = FIRST_PAGE; ; limit = PAGE) {
    const rows = await jobs.listWork('waiting', limit, after, owner);
    yield* rows;
    if (rows.length < limit) return;
    after = rows.at(-1)!.workOrder;
  }
}
