// GET /queue: the caller's jobs that run, and those that wait, in the order in which they will run. POST /queue: takes out what
// waits, POST /interrupt ends what runs; neither touches another owner's.

import type { Caller } from '../../core/access.ts';
import { clear, type Job, jobsOf } from '../../core/job.ts';
import { unendedIn } from '../caches/queue-view.ts';
import { cancelJob } from '../admission/cancel.ts';
import { clearWaiting } from '../admission/clear.ts';
import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';
import { bodyOf, editOf } from './body.ts';
import type { WireDeps } from './deps.ts';
import { PromptRefused } from './errors.ts';
import { findPrompt, queueItem, type QueueItem } from './prompts.ts';

/** Each comes with its graph. `GET /prompt` counts them all. */
const MAX_ITEMS = 1000;

export const queueRoutes = (deps: WireDeps): Mounted[] => [
  {
    route: 'GET /queue',
    scope: 'read',
    async handle(c) {
      const jobs = await ownUnended(deps, c.get('caller').owner);
      const running = jobs.filter(({ state }) => state.status === 'processing');
      const pending = jobs.filter(({ state }) => state.status === 'queued');
      return exactJson(c, {
        queue_running: await itemsOf(deps, running),
        queue_pending: await itemsOf(deps, pending),
      });
    },
  },
  {
    route: 'POST /queue',
    scope: 'generate',
    async handle(c) {
      const caller = c.get('caller');
      const { clear: clears, ids } = await editOf(c);
      if (clears) await clearWaiting(deps, caller, caller.owner);
      for (const id of ids) await takeOut(deps, caller, id);
      return c.body(null, 200);
    },
  },
  {
    route: 'POST /interrupt',
    scope: 'generate',
    async handle(c) {
      const caller = c.get('caller');
      // As ComfyUI takes it, a body that is no JSON names no prompt.
      const { prompt_id: id } = await bodyOf(c).catch((error: unknown): Record<string, unknown> => {
        if (!(error instanceof PromptRefused)) throw error;
        return {};
      });
      const found = id
        ? [await findPrompt(deps, caller, typeof id === 'string' ? id : '')]
        : await ownUnended(deps, caller.owner);
      for (const job of found)
        if (job?.state.status === 'processing') await cancelJob(deps, caller, job.state.jobId);
      return c.body(null, 200);
    },
  },
];

/** Unless it runs, or is none of the caller's. */
async function takeOut(deps: WireDeps, caller: Caller, promptId: string): Promise<void> {
  const { jobs, log, now } = deps;
  const jobId = (await findPrompt(deps, caller, promptId))?.state.jobId;
  if (jobId !== undefined && (await jobs.write(jobId, clear(now())))) log.info('job.cancelled', { jobId });
}

/** A job that a host has claimed and not started is still pending, before all that wait. */
export async function ownUnended(deps: WireDeps, owner: string): Promise<Job[]> {
  const { waiting, held } = await unendedIn(deps.queue, MAX_ITEMS, owner);
  const ids = [...held, ...waiting].map(({ jobId }) => jobId).slice(0, MAX_ITEMS);
  const [states, requests] = await Promise.all([
    deps.jobs.readStates(ids, { consistent: true }),
    deps.jobs.readRequests(ids),
  ]);
  return jobsOf(states, requests);
}

async function itemsOf(deps: WireDeps, jobs: readonly Job[]): Promise<QueueItem[]> {
  const items: QueueItem[] = [];
  for (const job of jobs) {
    const item = await queueItem(deps, job);
    if (item) items.push(item);
  }
  return items;
}
