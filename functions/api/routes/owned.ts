// What an owner's jobs made, newest first, in pages, with a total.

import { COUNT_EXACT_TO } from '../../core/limits.ts';
import type { JobState, Ran } from '../../core/job.ts';
import type { Jobs, ListedJob } from '../../store/jobs.ts';
import type { Page } from '../http/parameters.ts';
import { createKept } from '../caches/kept.ts';

/** Of a cursor, before it is made opaque. */
export const PLACE = /^\d{13}#[0-9a-f-]{36}~\d{1,4}$/;

const BATCH = 100;

/** One of the index's two stretches, from behind `after`. */
async function* rowsOf(
  jobs: Jobs,
  owner: string,
  status: Ran,
  batch: number,
  after: string | undefined,
): AsyncGenerator<ListedJob, undefined> {
  let place = after;
  do {
    const page = await jobs.listRan(owner, status, batch, place);
    yield* page.items;
    place = page.cursor;
  } while (place !== undefined);
  return undefined;
}

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

/** What a list shows: of jobs that ended so, each of which has none, one or several items. */
export interface Listing<T> {
  of: readonly Ran[];
  itemsOf(state: JobState): T[];
  /** How many items a row stands for, without a look at its job. */
  count(row: ListedJob): number;
}

export interface Found<T> {
  items: T[];
  /** Where the next page begins; undefined at the end. */
  next?: string;
}

/** A cursor is `<place in the index>~<how many of that job's items are already told>`. */
export async function pageOfOwned<T>(
  jobs: Jobs,
  owner: string,
  { limit, cursor }: Page,
  { of, itemsOf }: Listing<T>,
): Promise<Found<T>> {
  const [place = '', reported = '0'] = cursor?.split('~') ?? [];
  const items: T[] = [];
  // One more than is shown: it tells whether there is more.
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

export interface Counted {
  /** At most 1,000. */
  count: number;
  /** False: there are more. */
  exact: boolean;
}

/** `total` is exact up to 1,000 and says so beyond. */
export function totalOf<Field extends 'total' | 'total_items'>(field: Field, { count, exact }: Counted) {
  return { [field]: count, total_is_exact: exact } as Record<Field, number> & { total_is_exact: boolean };
}

export async function countOwned(
  jobs: Jobs,
  owner: string,
  { of, count: countOf }: Pick<Listing<unknown>, 'of' | 'count'>,
): Promise<Counted> {
  let count = 0;
  for (const status of of)
    for await (const row of rowsOf(jobs, owner, status, COUNT_EXACT_TO + 1, undefined)) {
      count += countOf(row);
      if (count > COUNT_EXACT_TO) return { count: COUNT_EXACT_TO, exact: false };
    }
  return { count, exact: true };
}

/** Of how many items a total is counted anew for each request. */
const FEW = 100;
/** Owners of which a process remembers totals. */
const REMEMBERED = 500;

export interface Totals {
  /** Exact up to 100 items; above, up to a second or so old. */
  of(owner: string, listing: Listing<unknown>): Promise<Counted>;
}

interface Remembered {
  count(): Promise<Counted>;
  last?: Counted;
}

export function createTotals(jobs: Jobs, now: () => number): Totals {
  const remembered = new Map<Listing<unknown>, Map<string, Remembered>>();
  return {
    async of(owner, listing) {
      const owners = remembered.get(listing) ?? new Map<string, Remembered>();
      remembered.set(listing, owners);
      const read = () => countOwned(jobs, owner, listing);
      const known: Remembered = owners.get(owner) ?? { count: createKept(read, now) };
      owners.delete(owner);
      owners.set(owner, known);
      if (owners.size > REMEMBERED) owners.delete(owners.keys().next().value!);
      known.last = !known.last || known.last.count <= FEW ? await read() : await known.count();
      return known.last;
    },
  };
}
