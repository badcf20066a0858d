// How many items an owner's lists have: counted anew while they are few, kept for a second or so above.

import { type Cache, createCache } from '../../core/cache.ts';
import { COUNT_EXACT_TO } from '../../core/limits.ts';
import type { JobState, Ran } from '../../core/job.ts';
import type { Jobs, ListedJob } from '../../store/jobs.ts';
import { seldom } from './seldom.ts';

/** What a list shows: of jobs that ended so, each of which has none, one or several items. */
export interface Listing<T> {
  of: readonly Ran[];
  itemsOf(state: JobState): T[];
  /** How many items a row stands for, without reading its job. */
  count(row: ListedJob): number;
}

export interface Counted {
  /** At most 1,000. */
  count: number;
  /** False: there are more. */
  exact: boolean;
}

/** One of the index's two stretches, from behind `after`. */
export async function* rowsOf(
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

async function countOwned(
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

export function createTotals(jobs: Jobs, now: () => number): Totals {
  const options = seldom<Counted>(now);
  const totals = new Map<Listing<unknown>, Cache<Counted>>();
  const create = () =>
    createCache<Counted>({
      ...options,
      freshFor: (counted, took) => (counted.count <= FEW ? 0 : options.freshFor(counted, took)),
      names: REMEMBERED,
    });
  return {
    of(owner, listing) {
      const owners = totals.get(listing) ?? create();
      totals.set(listing, owners);
      return owners.get(owner, () => countOwned(jobs, owner, listing));
    },
  };
}
