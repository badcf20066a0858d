// Routes of the queue: what waits and runs, cancel, clear. How a job is followed: follow.ts.

import { AppError } from '../../core/errors.ts';
import { hasEnded, type JobState, jobsOf } from '../../core/job.ts';
import { jobView } from '../../core/job-view.ts';
import { outwardPromptId } from '../../core/names.ts';
import { cancelJob, onlyOwn } from '../admission/cancel.ts';
import { clearWaiting } from '../admission/clear.ts';
import { json } from '../http/answers.ts';
import { cursorOf, jobId, type Page, page } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

const QUEUE_PAGE = 100;
/** Of a cursor, before it is made opaque. */
const QUEUE_PLACE = /^(held|waiting):[\w-]{1,80}$/;

export const queueRoutes = (deps: Shared) => [
  route(
    {
      route: 'GET /queue',
      id: 'queue',
      tag: 'Jobs',
      summary: 'What waits and runs',
      description: `One’s own jobs; all of them for a key with the scope admin. At most ${QUEUE_PAGE} a page.`,
      scope: 'read',
      parameters: page(QUEUE_PLACE),
      answers: { 200: json('The queue', 'Queue') },
      errors: ['invalid_field'],
    },
    async (c, asked) => {
      const { jobs, queue } = deps;
      const owner = onlyOwn(c.get('caller'));
      const { states, next } = await pageOfQueue(deps, asked, owner);
      const requests = await jobs.readRequests(states.map(({ jobId }) => jobId));
      const listed = jobsOf(states, requests);
      const entries = (status: JobState['status']) =>
        listed
          .filter(({ state }) => state.status === status)
          .map(({ state }, index): [number, string] => [index + 1, outwardPromptId(state.jobId)]);
      const { waiting, held } = await queue.count(owner);
      return {
        queue: {
          queue_pending: entries('queued'),
          queue_running: entries('processing'),
        },
        jobs: Object.fromEntries(listed.map((job) => [job.state.jobId, jobView(job)])),
        total_jobs: waiting + held,
        next_cursor: cursorOf(next),
      };
    },
  ),

  route(
    {
      route: 'DELETE /queue/:id',
      id: 'cancel',
      tag: 'Jobs',
      summary: 'Cancel a job',
      description: 'Whether it waits or runs. Cancelled twice is cancelled.',
      scope: 'generate',
      parameters: { id: jobId },
      answers: { 200: json('Cancelled', 'Cancelled') },
      errors: ['job_not_found', 'already_ended'],
    },
    async (c, { id }) => {
      const ended = await cancelJob(deps, c.get('caller'), id);
      if (ended) throw new AppError('already_ended', `Job ${id} has already ended: it is ${ended.status}`);
      return { status: 'success', message: `Job ${id} cancelled` };
    },
  ),

  route(
    {
      route: 'POST /queue/clear',
      id: 'clearQueue',
      tag: 'Jobs',
      summary: 'Cancel what waits',
      description:
        'One’s own jobs that wait at this moment, not what runs; everybody’s for a key with the scope admin.',
      scope: 'generate',
      answers: { 200: json('Cleared', 'Cleared') },
    },
    async (c) => {
      const caller = c.get('caller');
      const { cleared, remaining } = await clearWaiting(deps, caller, onlyOwn(caller));
      return { status: 'success', message: 'Queue cleared', cleared, remaining };
    },
  ),
];

/** Held jobs first: they run before what waits. A cursor is `held:<place>` or `waiting:<place>`. */
async function pageOfQueue(
  { jobs, queue }: Shared,
  { limit, cursor }: Page,
  owner: string | undefined,
): Promise<{ states: JobState[]; next: string | undefined }> {
  const [work, place] = cursor?.split(':') ?? [];
  // One more than a page: whether there is another.
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
    // The index lags behind: jobs that have ended since are left out.
    states: states.filter((state) => !hasEnded(state)),
    next: all.length > size && last ? `${last.work}:${last.workOrder}` : undefined,
  };
}
