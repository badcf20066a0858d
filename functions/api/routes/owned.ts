// What an owner's jobs made, newest first, in pages.

import type { JobState } from '../../core/job.ts';
import type { Jobs, ListedJob } from '../../store/jobs.ts';
import type { Page } from '../http/parameters.ts';
import { type Counted, type Listing, rowsOf } from '../caches/totals.ts';

/** Of a cursor, before it is made opaque. */
export const PLACE = /^\d{13}#[0-9a-f-]{36}~\d{1,4}$/;

const BATCH = 100;

/** Newest first over all stretches. */
async function* merged(stretches: AsyncGenerator<ListedJob, undefined>[]): AsyncGenerator<ListedJob> {
  const heads = await Promise.all(stretches.map((stretch) => stretch.next()));
  for (;;) {
    let newest = -1;
    for (const [index, { value }] of heads.entries())
      if (value && (newest < 0 || value.place > heads[newest]!.value!.place)) newest = index;
    if (newest < 0) return;
    yield heads[newest]!.value!;
    heads[newest] = await stretches[newest]!.next();
  }
}

async function* statesOf(
  jobs: Jobs,
  rows: AsyncGenerator<ListedJob>,
  batch: number,
): AsyncGenerator<JobState> {
  for (let ids: string[] = []; ;) {
    const { value, done } = await rows.next();
    if (value) ids.push(value.jobId);
    if (!done && ids.length < batch) continue;
    yield* await jobs.readStates(ids, { consistent: true });
    if (done) return;
    ids = [];
  }
}

export interface Found<T> {
  items: T[];
  /** Where the next page begins; undefined at the end. */
  next?: string;
}

/** A cursor is `<place in the index>~<how many of that job's items were already listed>`. */
export async function pageOfOwned<T>(
  jobs: Jobs,
  owner: string,
  { limit, cursor }: Page,
  { of, itemsOf }: Listing<T>,
): Promise<Found<T>> {
  const [place = '', reported = '0'] = cursor?.split('~') ?? [];
  const items: T[] = [];
  // One more than is shown: whether there is a next page.
  const batch = Math.min(limit + 1, BATCH);
  // "~" sorts behind whatever a place may go on with: the job itself is walked again.
  const after = cursor === undefined ? undefined : `${place}~`;
  const rows = merged(of.map((status) => rowsOf(jobs, owner, status, batch, after)));
  for await (const state of statesOf(jobs, rows, batch)) {
    const skip = state.ownerOrder === place ? Number(reported) : 0;
    for (const [index, item] of itemsOf(state).entries()) {
      if (index < skip) continue;
      if (items.length === limit) return { items, next: `${state.ownerOrder}~${index}` };
      items.push(item);
    }
  }
  return { items };
}

/** `total` is exact up to 1,000 and says so beyond. */
export function totalOf<Field extends 'total' | 'total_items'>(field: Field, { count, exact }: Counted) {
  return { [field]: count, total_is_exact: exact } as Record<Field, number> & { total_is_exact: boolean };
}
