// GET /queue: the caller's jobs that run, and those that wait, in the order in which they will run.

import type { Job } from '../../core/job.ts';
import { exactJson } from '../http/exact-json.ts';
import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import { queueItem, type QueueItem } from './prompts.ts';

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
];

/** A job that a host has claimed and not started is still pending, before all that wait. */
async function ownUnended(deps: WireDeps, owner: string): Promise<Job[]> {
  // Those that wait first: a job that a host claims in between is then in both lists, rather than in none.
  const waiting = await deps.queue.list('waiting', MAX_ITEMS, undefined, owner);
  const held = await deps.queue.list('held', MAX_ITEMS, undefined, owner);
  const ids = [...held, ...waiting].map(({ jobId }) => jobId).slice(0, MAX_ITEMS);
  const [states, requests] = await Promise.all([
    deps.jobs.readStates(ids, { consistent: true }),
    deps.jobs.readRequests(ids),
  ]);
  return states.flatMap((state) => {
    const request = requests.get(state.jobId);
    return request ? [{ state, request }] : [];
  });
}

async function itemsOf(deps: WireDeps, jobs: readonly Job[]): Promise<QueueItem[]> {
  const items: QueueItem[] = [];
  for (const job of jobs) {
    const item = await queueItem(deps, job);
    if (item) items.push(item);
  }
  return items;
}
