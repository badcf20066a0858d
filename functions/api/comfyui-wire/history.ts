// GET /history: the caller's jobs that ran to an end, as ComfyUI's own history has its prompts: oldest first. POST /history removes
// none of them.

import type { Context } from 'hono';
import { type Caller } from '../../core/access.ts';
import { hasEnded, type Job } from '../../core/job.ts';
import { invalid } from '../../core/inputs.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';
import { editOf } from './body.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor } from './errors.ts';
import { historyEntry } from './history-entry.ts';
import { wholeNumber } from './numbers.ts';
import { findPrompt } from './prompts.ts';

/** Entries where no `max_items` is given, and at most. */
const DEFAULT_ITEMS = 200;
const MAX_ITEMS = 1000;
/** As many as one BatchGet reads. */
const READ_AT_ONCE = 100;

export const historyRoutes = (deps: WireDeps): Mounted[] => [
  {
    route: 'GET /history',
    scope: 'read',
    async handle(c) {
      const asked = askedFor(c);
      const jobs = await newestEnded(deps, c.get('caller'), asked.read);
      if (asked.offset === undefined) return answer(deps, c, jobs.slice(0, asked.items).toReversed());
      if (jobs.length > MAX_ITEMS)
        throw invalid('offset', `counts from the oldest of at most ${MAX_ITEMS}; use max_items alone`);
      const oldestFirst = jobs.toReversed();
      return answer(deps, c, oldestFirst.slice(asked.offset, asked.offset + asked.items));
    },
  },
  {
    route: 'GET /history/:id',
    scope: 'read',
    async handle(c) {
      const found = await findPrompt(deps, c.get('caller'), c.req.param('id') ?? '');
      // Of one that runs nothing is said: most polls cost one small read.
      const job = found && isOfHistory(found) ? await deps.jobs.read(found.state.jobId) : undefined;
      return answer(deps, c, job ? [job] : []);
    },
  },
  {
    route: 'POST /history',
    scope: 'generate',
    async handle(c) {
      const caller = c.get('caller');
      const { clear, ids } = await editOf(c);
      const named = await Promise.all(ids.slice(0, MAX_ITEMS).map((id) => findPrompt(deps, caller, id)));
      // ComfyUI forgets the entry and keeps its files; here the record of a job is what its files are found by.
      if (clear || named.some((job) => job && isOfHistory(job)))
        throw refusedFor(
          'history_is_kept',
          'The record of a job is removed with its files only, by the API: DELETE /api/history/{job_id}',
          'it ends by itself after the days that jobs are kept',
          409,
        );
      return c.body(null, 200);
    },
  },
];

/** As ComfyUI reads them: without a natural `offset`, the newest. `read`: how many of the newest that takes. */
function askedFor(c: Context<ApiEnv>): { items: number; offset: number | undefined; read: number } {
  const given = wholeNumber(c, 'max_items');
  if (given !== undefined && (given < 1 || given > MAX_ITEMS))
    throw invalid('max_items', `must be from 1 to ${MAX_ITEMS}`);
  const offset = wholeNumber(c, 'offset');
  if (offset === undefined || offset < 0) {
    const items = given ?? DEFAULT_ITEMS;
    return { items, offset: undefined, read: items };
  }
  return { items: given ?? MAX_ITEMS, offset, read: MAX_ITEMS + 1 };
}

async function answer(deps: WireDeps, c: Context<ApiEnv>, jobs: readonly Job[]): Promise<Response> {
  const entries: Record<string, unknown> = {};
  for (const job of jobs) {
    const entry = isOfHistory(job) ? await historyEntry(deps, job) : undefined;
    if (entry) entries[entry.prompt[1]] = entry;
  }
  return exactJson(c, entries);
}

/** What was taken out of the queue before it ran, ComfyUI forgets. */
export function isOfHistory({ state }: Job): boolean {
  return hasEnded(state) && (state.status !== 'cancelled' || state.startedAt !== undefined);
}

interface Which {
  isMeant?(job: Job): boolean;
  /** So many of the newest are looked at. */
  examined?: number;
}

/** Newest first. */
export async function newestEnded(
  deps: WireDeps,
  { owner }: Caller,
  most: number,
  { isMeant = () => true, examined = Infinity }: Which = {},
): Promise<Job[]> {
  const found: Job[] = [];
  let before: string | undefined;
  for (let read = 0; found.length < most && read < examined; read += READ_AT_ONCE) {
    const page = await deps.jobs.listOwned(owner, READ_AT_ONCE, before);
    const ids = page.items.map(({ jobId }) => jobId);
    const [states, requests] = await Promise.all([
      deps.jobs.readStates(ids, { consistent: true }),
      deps.jobs.readRequests(ids),
    ]);
    for (const state of states) {
      const request = requests.get(state.jobId);
      if (!request || !isOfHistory({ state, request }) || !isMeant({ state, request })) continue;
      if (found.length < most) found.push({ state, request });
    }
    before = page.cursor;
    if (before === undefined) break;
  }
  return found;
}
