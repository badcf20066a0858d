// An owner's jobs, newest first, in pages of what somebody looks for among them.

import type { Context } from 'hono';
import { allows, ownerName } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import { invalid } from '../core/inputs.ts';
import { COUNT_EXACT_TO } from '../core/limits.ts';
import type { JobState } from '../core/job.ts';
import type { Jobs } from '../store/jobs.ts';
import type { ApiEnv } from './deps.ts';

/** Whose a request is about: the caller's own, or for an admin those of `?owner`. */
export function askedOwner(c: Context<ApiEnv>): string {
  const caller = c.get('caller');
  const asked = c.req.query('owner');
  if (asked === undefined || asked === caller.owner) return caller.owner;
  if (!allows(caller, 'admin'))
    throw new AppError('forbidden', 'Only a key with the scope admin may see or change what is others’', {
      field: 'owner',
    });
  const parsed = ownerName.safeParse(asked);
  if (!parsed.success) throw invalid('owner', parsed.error.issues[0]!.message);
  return parsed.data;
}

const BATCH = 100;
/** Where most jobs are not what is looked for, a count gives up here. */
const MAX_WALK = 5000;
/** Of a cursor, before it is made opaque. */
export const PLACE = /^\d{13}#[0-9a-f-]{36}~\d{1,4}$/;

/** From behind `after`, a place in the owner's index. */
async function* walk(jobs: Jobs, owner: string, after: string | undefined): AsyncGenerator<JobState> {
  let place = after;
  do {
    const page = await jobs.listOwner(owner, BATCH, place);
    yield* await jobs.readStates(
      page.items.map(({ jobId }) => jobId),
      { consistent: true },
    );
    place = page.cursor;
  } while (place !== undefined);
}

export interface Found<T> {
  items: T[];
  /** Where the next page begins; undefined at the end. */
  next?: string;
}

/**
 * The next `limit` items, of which each job has none, one or several. A cursor is `<place in the index>~<how many
 * of that job's items are already told>`.
 */
export async function pageOfOwned<T>(
  jobs: Jobs,
  owner: string,
  { limit, cursor }: { limit: number; cursor: string | undefined },
  itemsOf: (state: JobState) => T[],
): Promise<Found<T>> {
  const [place = '', told = '0'] = cursor?.split('~') ?? [];
  const items: T[] = [];
  // "~" sorts behind whatever a place may go on with: the job itself is walked again.
  for await (const state of walk(jobs, owner, cursor === undefined ? undefined : `${place}~`)) {
    const skip = state.ownerOrder === place ? Number(told) : 0;
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
  /** False: there are more, or there may be. */
  exact: boolean;
}

export async function countOwned(
  jobs: Jobs,
  owner: string,
  itemsOf: (state: JobState) => unknown[],
): Promise<Counted> {
  let count = 0;
  let walked = 0;
  for await (const state of walk(jobs, owner, undefined)) {
    count += itemsOf(state).length;
    walked += 1;
    if (count > COUNT_EXACT_TO) return { count: COUNT_EXACT_TO, exact: false };
    if (walked >= MAX_WALK) return { count, exact: false };
  }
  return { count, exact: true };
}
