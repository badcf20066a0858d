// Routes of a job's life: generate, the queue, cancel, clear. How it is followed: follow.ts.

import { type Context, Hono } from 'hono';
import { allows, type Caller, sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { cancel, hasEnded, type JobState } from '../../core/job.ts';
import { isJobId, outwardPromptId } from '../../core/names.ts';
import { clearQueue, acceptedUntil } from '../../store/clear-queue.ts';
import { accept } from '../admission/accept.ts';
import { cursorOf, idempotencyKeyOf, jsonObject, type PageQuery, pageQuery } from '../http/body.ts';
import { needs } from '../http/access.ts';
import { exactJson } from '../http/exact-json.ts';
import { type ApiEnv, type Shared } from '../deps.ts';
import { jobView, promptOf, seedOf } from './views.ts';

/** So many jobs are cleared before the answer; the controller finishes the rest. */
const CLEARED_AT_ONCE = 1000;
const QUEUE_PAGE = 100;
/** Of a cursor, before it is made opaque. */
const QUEUE_PLACE = /^(held|waiting):[\w-]{1,80}$/;

export function jobRoutes(deps: Shared) {
  const { jobs, queue, log } = deps;
  return new Hono<ApiEnv>()
    .post('/generate', needs('generate'), async (c) => {
      const body = await jsonObject(c);
      const request = await accept(deps, c.get('caller'), body, idempotencyKeyOf(c), (name, value) =>
        c.header(name, value),
      );
      return exactJson(
        c,
        {
          job_id: request.jobId,
          prompt_id: outwardPromptId(request.jobId),
          status: 'queued',
          prompt: promptOf(request),
          message: 'Image generation queued',
          workflow: request.workflow,
          ...seedOf(request),
          notes: request.notes,
        },
        202,
      );
    })

    .get('/queue', needs('read'), async (c) => {
      const owner = onlyOwn(c.get('caller'));
      const { states, next } = await pageOfQueue(deps, pageQuery(c, QUEUE_PLACE), owner);
      const requests = await jobs.readRequests(states.map(({ jobId }) => jobId));
      const listed = states.flatMap((state) => {
        const request = requests.get(state.jobId);
        return request ? [{ state, request }] : [];
      });
      const entries = (status: JobState['status']) =>
        listed
          .filter(({ state }) => state.status === status)
          .map(({ state }, index) => [index + 1, outwardPromptId(state.jobId)]);
      const { waiting, held } = await queue.count(owner);
      return exactJson(c, {
        queue: {
          queue_pending: entries('queued'),
          queue_running: entries('processing'),
        },
        jobs: Object.fromEntries(listed.map((job) => [job.state.jobId, jobView(job)])),
        total_jobs: waiting + held,
        next_cursor: next === undefined ? null : cursorOf(next),
      });
    })

    .delete('/queue/:id', needs('generate'), async (c) => {
      const jobId = jobIdOf(c);
      const owner = onlyOwn(c.get('caller'));
      if (!(await jobs.write(jobId, cancel(deps.now(), owner)))) {
        const state = await jobs.readState(jobId);
        if (!state || !sees(c.get('caller'), state.owner)) throw notFound();
        if (state.status !== 'cancelled')
          throw new AppError('already_ended', `Job ${jobId} has already ended: it is ${state.status}`);
      }
      log.info('job cancelled', { job_id: jobId });
      return c.json({ status: 'success', message: `Job ${jobId} cancelled` });
    })

    .post('/queue/clear', needs('generate'), async (c) => {
      const owner = onlyOwn(c.get('caller'));
      const whose = { until: acceptedUntil(deps.now()), ...(owner !== undefined && { owner }) };
      const waiting = await jobs.countWork('waiting', owner);
      // Before the first is cleared: whoever dies on the way, the rest is cleared too.
      const chore =
        waiting > CLEARED_AT_ONCE ? await deps.chores.add({ kind: 'clear', ...whose }) : undefined;
      const { cleared, left } = await clearQueue(deps, whose, CLEARED_AT_ONCE);
      if (chore && !left) await deps.chores.done(chore);
      if (owner !== undefined) await deps.limits.cleared(c.get('caller'));
      const remaining = left ? Math.max(0, waiting - CLEARED_AT_ONCE) : 0;
      log.info('queue cleared', { cleared, remaining });
      return c.json({ status: 'success', message: 'Queue cleared', cleared, remaining });
    });
}

/** Undefined: this caller is meant to see everybody's. */
function onlyOwn(caller: Caller): string | undefined {
  return allows(caller, 'admin') ? undefined : caller.owner;
}

export function jobIdOf(c: Context<ApiEnv>): string {
  const id = c.req.param('id')?.toLowerCase() ?? '';
  if (!isJobId(id)) throw notFound();
  return id;
}

export function notFound(): AppError {
  return new AppError('job_not_found', 'Job not found');
}

/** Held jobs first: they run before what waits. A cursor is `held:<place>` or `waiting:<place>`. */
async function pageOfQueue(
  { jobs, queue }: Shared,
  { limit, cursor }: PageQuery,
  owner: string | undefined,
): Promise<{ states: JobState[]; next: string | undefined }> {
  const [work, place] = cursor?.split(':') ?? [];
  // One more than a page tells whether there is another.
  const size = Math.min(limit, QUEUE_PAGE);
  const wanted = size + 1;
  const held = work === 'waiting' ? [] : await queue.list('held', wanted, place, owner);
  const missing = wanted - held.length;
  const waiting =
    missing > 0 ? await queue.list('waiting', missing, work === 'waiting' ? place : undefined, owner) : [];
  const all = [
    ...held.map((item) => ({ ...item, work: 'held' })),
    ...waiting.map((item) => ({ ...item, work: 'waiting' })),
  ];
  const page = all.slice(0, size);
  const last = page.at(-1);
  const states = await jobs.readStates(
    page.map(({ jobId }) => jobId),
    { consistent: false },
  );
  return {
    // The index lags behind: what has ended meanwhile is left out.
    states: states.filter((state) => !hasEnded(state)),
    next: all.length > size && last ? `${last.work}:${last.workOrder}` : undefined,
  };
}
