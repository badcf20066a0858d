// Moves ended jobs from the outbox index into deliveries. After a crash at any step another process repeats it.

import { dueOf, dueOrder } from '../core/delivery.ts';
import { type JobState, clearWebhook } from '../core/job.ts';
import { JOB_KEPT } from '../core/limits.ts';
import { deliveryIdOf, ownerOrder } from '../core/names.ts';
import type { JobRequest } from '../core/request.ts';
import { webhookType } from '../core/webhook.ts';
import type { Log } from '../log.ts';
import type { Deliveries } from '../store/deliveries.ts';
import type { Jobs } from '../store/jobs.ts';

export interface TakeOverDeps {
  jobs: Pick<Jobs, 'listWebhookPending' | 'readStates' | 'readRequests' | 'write'>;
  deliveries: Deliveries;
  log: Log;
  /** The tables' clock, ms. */
  now(): number;
}

const AT_ONCE = 32;

/** Puts a delivery for each pending webhook, then clears it: in this order no crash loses one. @returns how many */
export async function takeOver(deps: TakeOverDeps): Promise<number> {
  const { jobs, log } = deps;
  let taken = 0;
  for await (const jobIds of jobs.listWebhookPending()) {
    const [states, requests] = await Promise.all([
      // Strongly: the index may still show jobs that were taken over a moment ago.
      jobs.readStates(jobIds, { consistent: true }),
      jobs.readRequests(jobIds),
    ]);
    await forEachOf(
      states.filter(({ webhook }) => webhook === 'pending'),
      AT_ONCE,
      async (state) => {
        try {
          await takeOne(deps, state, requests.get(state.jobId));
          taken += 1;
        } catch (error) {
          log.error('webhook.take_over_failed', error, { jobId: state.jobId });
        }
      },
    );
  }
  return taken;
}

async function takeOne(
  { jobs, deliveries, now }: TakeOverDeps,
  state: JobState,
  request: JobRequest | undefined,
): Promise<void> {
  const { jobId, owner, endedAt } = state;
  if (request?.webhookUrl === undefined || endedAt === undefined)
    throw new Error('The job has no webhook endpoint, or no time of its end');
  const createdAt = now();
  const url = request.webhookUrl;
  const deliveryId = deliveryIdOf(jobId, state.createdAt);
  await deliveries.put({
    deliveryId,
    jobId,
    owner,
    ownerOrder: ownerOrder(createdAt, jobId),
    url,
    type: webhookType(state.status),
    endedAt,
    createdAt,
    since: createdAt,
    due: 'due',
    dueAt: createdAt,
    dueOrder: dueOrder(dueOf({ deliveryId, owner, url }, createdAt)),
    attempts: 0,
    expiresAt: Math.ceil((createdAt + JOB_KEPT) / 1000),
  });
  // Refused: another process did the same.
  await jobs.write(jobId, clearWebhook());
}

/** Runs `work` on all, at most `concurrency` at the same time. `work` must not throw. */
async function forEachOf<T>(
  all: readonly T[],
  concurrency: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const underway = new Set<Promise<void>>();
  for (const one of all) {
    const started: Promise<void> = work(one).finally(() => underway.delete(started));
    underway.add(started);
    if (underway.size >= concurrency) await Promise.race(underway);
  }
  await Promise.all(underway);
}
