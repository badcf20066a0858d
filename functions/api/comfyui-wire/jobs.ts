// ComfyUI's jobs API, below /api alone: the caller's jobs, those that wait and run and those of the history, listed, one by one, and
// cancelled. Its errors are a sentence: `{"error": "…"}`.

import type { Context } from 'hono';
import { type Caller } from '../../core/access.ts';
import { hasEnded, type Job } from '../../core/job.ts';
import { isJobId } from '../../core/names.ts';
import { cancelJob } from '../admission/cancel.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';
import { bodyOf } from './body.ts';
import type { WireDeps } from './deps.ts';
import { PromptRefused } from './errors.ts';
import { isOfHistory, newestEnded } from './history.ts';
import { jobEntry, statusOf, STATUSES, wholeJob, workflowIdOf, type WireStatus } from './job-entry.ts';
import { findPrompt } from './prompts.ts';
import { ownUnended } from './queue.ts';

/** The newest that ended; those before are in no list. */
const MAX_EXAMINED = 1000;
const DEFAULT_ITEMS = 200;
const MAX_CANCELLED = 1000;

/** What is wrong with a request, in ComfyUI's words. */
class Wrong extends Error {
  constructor(
    message: string,
    readonly more: object = {},
  ) {
    super(message);
  }
}

export const jobRoutes = (deps: WireDeps): Mounted[] => [
  {
    route: 'GET /jobs',
    scope: 'read',
    handle: (c) =>
      answered(c, async () => {
        const asked = askedFor(c);
        const { jobs, hasMore } = await listed(deps, c.get('caller'), asked);
        const { offset, limit } = asked;
        const page = jobs.slice(offset, offset + limit);
        const entries = [];
        for (const job of page) entries.push(await jobEntry(deps, job));
        const left = hasMore || jobs.length > offset + page.length;
        return { jobs: entries, pagination: { offset, limit, total: jobs.length, has_more: left } };
      }),
  },
  {
    route: 'POST /jobs/cancel',
    scope: 'generate',
    handle: (c) =>
      answered(c, async () => {
        const { job_ids: ids } = await bodyOf(c).catch((error: unknown) => {
          throw error instanceof PromptRefused ? new Wrong('Request body must be valid JSON') : error;
        });
        if (!Array.isArray(ids)) throw new Wrong('job_ids must be a list');
        if (ids.length > MAX_CANCELLED) throw new Wrong(`job_ids may have at most ${MAX_CANCELLED}`);
        const odd = (ids as unknown[]).filter((id) => typeof id !== 'string' || !isJobId(id));
        if (odd.length > 0) throw new Wrong('job_ids contains invalid id(s)', { invalid_ids: odd });
        let cancelled = false;
        for (const id of ids as string[]) if (await cancelOwn(deps, c.get('caller'), id)) cancelled = true;
        return { cancelled };
      }),
  },
  {
    route: 'GET /jobs/:id',
    scope: 'read',
    async handle(c) {
      const found = await findPrompt(deps, c.get('caller'), c.req.param('id') ?? '');
      // One that was taken out of the queue is gone.
      const isThere = found && (!hasEnded(found.state) || isOfHistory(found));
      // With its graph.
      const whole = isThere && (await deps.jobs.read(found.state.jobId));
      const job = whole && (await wholeJob(deps, whole));
      return job ? exactJson(c, job) : exactJson(c, { error: 'Job not found' }, 404);
    },
  },
  {
    route: 'POST /jobs/:id/cancel',
    scope: 'generate',
    handle: async (c) =>
      exactJson(c, { cancelled: await cancelOwn(deps, c.get('caller'), c.req.param('id') ?? '') }),
  },
];

async function answered(c: Context<ApiEnv>, work: () => Promise<object>): Promise<Response> {
  try {
    return exactJson(c, await work());
  } catch (error) {
    if (error instanceof Wrong) return exactJson(c, { error: error.message, ...error.more }, 400);
    throw error;
  }
}

/** False: it has ended, or there is none. */
async function cancelOwn(deps: WireDeps, caller: Caller, id: string): Promise<boolean> {
  const found = await findPrompt(deps, caller, id);
  if (!found || hasEnded(found.state)) return false;
  return (await cancelJob(deps, caller, found.state.jobId)) === undefined;
}

interface Asked {
  statuses: readonly WireStatus[];
  workflowId: string | undefined;
  /** Compares two jobs. */
  order(a: Job, b: Job): number;
  /** As they are listed here anyway: the rest need not be read. */
  isNewestFirst: boolean;
  limit: number;
  offset: number;
}

/** @throws Wrong */
function askedFor(c: Context<ApiEnv>): Asked {
  const { status, workflow_id: workflowId, limit, offset } = c.req.query();
  const by = (c.req.query('sort_by') ?? 'created_at').toLowerCase();
  const order = (c.req.query('sort_order') ?? 'desc').toLowerCase();
  const named = (status ?? '').split(',').map((one) => one.trim().toLowerCase());
  const statuses = named.filter((one) => one !== '');
  const odd = statuses.filter((one) => !STATUSES.some((known) => known === one));
  if (odd.length > 0)
    throw new Wrong(`Invalid status value(s): ${odd.join(', ')}. Valid values: ${STATUSES.join(', ')}`);
  if (by !== 'created_at' && by !== 'execution_duration')
    throw new Wrong("sort_by must be 'created_at' or 'execution_duration'");
  if (order !== 'asc' && order !== 'desc') throw new Wrong("sort_order must be 'asc' or 'desc'");
  const items = wholeNumber('limit', limit) ?? DEFAULT_ITEMS;
  if (items <= 0) throw new Wrong('limit must be a positive integer');
  const sign = order === 'asc' ? 1 : -1;
  const keyOf = by === 'created_at' ? ({ state }: Job) => state.createdAt : durationOf;
  return {
    statuses: STATUSES.filter((one) => statuses.length === 0 || statuses.includes(one)),
    workflowId: workflowId || undefined,
    order: (a, b) => sign * (keyOf(a) - keyOf(b)),
    isNewestFirst: by === 'created_at' && order === 'desc',
    limit: Math.min(items, MAX_EXAMINED),
    offset: Math.max(0, wholeNumber('offset', offset) ?? 0),
  };
}

function wholeNumber(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (!/^[+-]?\d{1,9}$/.test(given.trim())) throw new Wrong(`${name} must be an integer`);
  return Number(given);
}

const durationOf = ({ state: { startedAt, endedAt } }: Job) =>
  startedAt === undefined || endedAt === undefined ? 0 : endedAt - startedAt;

/** In order. `hasMore`: further ones were not read. */
async function listed(
  deps: WireDeps,
  caller: Caller,
  { statuses, workflowId, order, isNewestFirst, offset, limit }: Asked,
): Promise<{ jobs: Job[]; hasMore: boolean }> {
  const isMeant = (job: Job) =>
    statuses.includes(statusOf(job.state)) && (workflowId === undefined || workflowIdOf(job) === workflowId);
  const ofQueue = statuses.some((one) => one === 'pending' || one === 'in_progress');
  const ofHistory = statuses.some((one) => one !== 'pending' && one !== 'in_progress');
  // The queue first: a job that ends in between is in both, rather than in neither.
  const live = ofQueue ? (await ownUnended(deps, caller.owner)).filter(isMeant) : [];
  const most = isNewestFirst ? Math.min(offset + limit + 1, MAX_EXAMINED) : MAX_EXAMINED;
  const ended = ofHistory ? await newestEnded(deps, caller, most, { isMeant, examined: MAX_EXAMINED }) : [];
  const byId = new Map([...live, ...ended].map((job) => [job.state.jobId, job]));
  return { jobs: [...byId.values()].sort(order), hasMore: ended.length === most && most < MAX_EXAMINED };
}
