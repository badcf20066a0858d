// GET /api/v2/jobs: all of the caller's jobs, newest first, by labels. A page by labels may be short, or empty, and go on.

import type { Context } from 'hono';
import { hasLabels, type Labels, problemOfLabel } from '../../core/labels.ts';
import { pageOfJobs } from '../caches/owned-jobs.ts';
import { OWNER_ORDER } from '../../core/names.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import { cursorOf } from '../http/parameters.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';
import { summaryView } from './job-view.ts';

const PAGE_DEFAULT = 50;
const PAGE_MAX = 100;
const MAX_FILTERS = 3;
const FILTER = /^metadata\[(.*)\]$/s;

export async function listJobs(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const limit = limitOf(c.req.query('limit'));
  const wanted = filterOf(c.req.queries());
  const { owner } = c.get('caller');
  const before = placeOf(c.req.query('cursor'));
  const found = await pageOfJobs(
    deps,
    owner,
    { limit, before },
    {
      request: wanted && (({ metadata }) => hasLabels(metadata, wanted)),
    },
  );
  return exactJson(c, {
    jobs: found.jobs.map(({ state, request }) => summaryView(state, request)),
    ...(found.next !== undefined && { next_cursor: cursorOf(found.next) }),
  });
}

function limitOf(given: string | undefined): number {
  if (given === undefined) return PAGE_DEFAULT;
  const limit = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > PAGE_MAX)
    throw new V2Error(400, 'invalid_request', `"limit" must be a whole number from 1 to ${PAGE_MAX}`);
  return limit;
}

function placeOf(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const place = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!OWNER_ORDER.test(place))
    throw new V2Error(400, 'invalid_cursor', '"cursor" must be the next_cursor of an earlier answer');
  return place;
}

/** @returns undefined: none were given */
function filterOf(query: Record<string, string[]>): Labels | undefined {
  const refuse = (message: string) => new V2Error(400, 'invalid_metadata_filter', message);
  const wanted: Labels = {};
  for (const [parameter, values] of Object.entries(query)) {
    if (!/^metadata(\[|$)/.test(parameter)) continue;
    const name = FILTER.exec(parameter)?.[1];
    if (name === undefined) throw refuse('A filter is written metadata[<name>]=<value>');
    const [value] = values;
    const problem = values.length > 1 ? 'may be given once' : problemOfLabel(name, value);
    if (problem !== undefined) throw refuse(`metadata[${name.slice(0, 60)}] ${problem}`);
    wanted[name] = value!;
  }
  const count = Object.keys(wanted).length;
  if (count > MAX_FILTERS) throw refuse(`At most ${MAX_FILTERS} filters are taken; these are ${count}`);
  return count === 0 ? undefined : wanted;
}
