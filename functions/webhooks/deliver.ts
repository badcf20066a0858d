// One round: jobs that have ended become deliveries, and deliveries that are due are sent. Every step may be the last
// of this process, and be made again by another: a receiver knows a webhook that comes twice by its id.

import { type JobState, disarm } from '../core/job.ts';
import { JOB_KEPT, WEBHOOK_LEASE } from '../core/limits.ts';
import { deliveryIdOf, ownerOrder } from '../core/names.ts';
import type { JobRequest } from '../core/request.ts';
import { nextTry, webhookType } from '../core/webhook.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { type Deliveries, type Delivery, type Due, dueOrder, type Tried } from '../store/deliveries.ts';
import type { Jobs } from '../store/jobs.ts';
import type { WebhookSecrets } from '../store/webhook-secrets.ts';
import { payloadOf } from './payload.ts';
import type { Send } from './send.ts';
import { sign } from './sign.ts';

export interface DeliverDeps {
  jobs: Pick<Jobs, 'listHooked' | 'readStates' | 'readRequests' | 'read' | 'write'>;
  deliveries: Deliveries;
  webhookSecrets: WebhookSecrets;
  send: Send;
  log: Log;
  metrics?: Metrics;
  /** The tables' clock, ms. */
  now(): number;
  random(bytes: number): Uint8Array;
  /** Sent at the same time. */
  concurrency?: number;
}

export interface Round {
  /** Jobs that became deliveries. */
  taken: number;
  /** Deliveries that were tried. */
  tried: number;
  /** When the next is due, ms; undefined: none is. */
  nextDue?: number;
}

const CONCURRENCY = 32;

/** @param goesOn asked before each delivery; false: the rest is for the next round */
export async function deliverRound(deps: DeliverDeps, goesOn: () => boolean = () => true): Promise<Round> {
  const taken = await takeOver(deps);
  return { taken, ...(await sendDue(deps, goesOn)) };
}

/** Puts a delivery for every job in the outbox, then takes the job out: in this order nobody's death loses one. */
async function takeOver(deps: DeliverDeps): Promise<number> {
  const { jobs, log, concurrency = CONCURRENCY } = deps;
  let taken = 0;
  for await (const jobIds of jobs.listHooked()) {
    const [states, requests] = await Promise.all([
      // Strongly: the index also shows what was taken over a moment ago.
      jobs.readStates(jobIds, { consistent: true }),
      jobs.readRequests(jobIds),
    ]);
    await forEachOf(
      states.filter(({ hook }) => hook === 'armed'),
      concurrency,
      async (state) => {
        try {
          await takeOne(deps, state, requests.get(state.jobId));
          taken += 1;
        } catch (error) {
          log.error('webhook not taken over; it is tried again', error, { job_id: state.jobId });
        }
      },
    );
  }
  return taken;
}

async function takeOne(
  { jobs, deliveries, now }: DeliverDeps,
  state: JobState,
  request: JobRequest | undefined,
): Promise<void> {
  const { jobId, owner, endedAt } = state;
  if (request?.webhookUrl === undefined || endedAt === undefined)
    throw new Error('Its parts do not say whom to tell, or when it ended');
  const createdAt = now();
  const due: Due = { deliveryId: deliveryIdOf(jobId, state.createdAt), dueAt: createdAt };
  await deliveries.put({
    ...due,
    jobId,
    owner,
    ownerOrder: ownerOrder(createdAt, jobId),
    url: request.webhookUrl,
    type: webhookType(state.status),
    endedAt,
    createdAt,
    since: createdAt,
    due: 'due',
    dueOrder: dueOrder(due),
    attempts: 0,
    expiresAt: Math.ceil((createdAt + JOB_KEPT) / 1000),
  });
  // Refused: another process has done the same.
  await jobs.write(jobId, disarm());
}

async function sendDue(deps: DeliverDeps, goesOn: () => boolean): Promise<Omit<Round, 'taken'>> {
  const { deliveries, log, now, concurrency = CONCURRENCY } = deps;
  const round: Omit<Round, 'taken'> = { tried: 0 };

  async function* due(): AsyncGenerator<Due> {
    for await (const next of deliveries.listDue()) {
      if (next.dueAt > now() || !goesOn()) {
        round.nextDue = next.dueAt;
        return;
      }
      yield next;
    }
  }

  await forEachOf(due(), concurrency, async (next) => {
    try {
      if (await sendOne(deps, next)) round.tried += 1;
    } catch (error) {
      // Its lease ends, and somebody tries again.
      log.error('webhook not sent', error, { delivery_id: next.deliveryId });
    }
  });
  return round;
}

/** False: another process has it. */
async function sendOne(deps: DeliverDeps, due: Due): Promise<boolean> {
  const { deliveries, now, random } = deps;
  const claim = Buffer.from(random(16)).toString('hex');
  const delivery = await deliveries.claim(due, claim, now() + WEBHOOK_LEASE);
  if (!delivery) return false;
  const tried = await tryOnce(deps, delivery);
  await deliveries.settle(delivery.deliveryId, claim, tried);
  tell(deps, delivery, tried);
  return true;
}

async function tryOnce(deps: DeliverDeps, delivery: Delivery): Promise<Tried> {
  const { jobs, webhookSecrets, send, now, random } = deps;
  const { deliveryId, jobId, owner, url, attempts, since } = delivery;
  const job = await jobs.read(jobId);
  // Another may have its id by now.
  if (!job || job.state.endedAt !== delivery.endedAt)
    return { gaveUpAt: now(), error: 'the job was removed before it could be told' };
  const body = payloadOf(job);
  const secret = await webhookSecrets.of(owner, random);
  const headers = { 'content-type': 'application/json', 'user-agent': 'comfyui-rest-api' };
  const answer = await send(url, { ...headers, ...sign(secret, deliveryId, now(), body) }, body);
  const { status, error, final } = answer;
  if (error === undefined) return { deliveredAt: now(), status: status! };
  const failed = { error, ...(status !== undefined && { status }) };
  const retryAt = final ? undefined : nextTry(attempts, since, now(), random(1)[0]! / 255);
  return retryAt === undefined ? { gaveUpAt: now(), ...failed } : { retryAt, ...failed };
}

/** Never the address: it may hold a secret of the receiver's. */
function tell({ log, metrics }: DeliverDeps, delivery: Delivery, tried: Tried): void {
  const { deliveryId: delivery_id, jobId: job_id, attempts: attempt } = delivery;
  if ('deliveredAt' in tried) {
    metrics?.put({ webhooks_delivered: 1 }, { delivery_id });
    log.info('webhook delivered', { delivery_id, job_id, attempt });
    return;
  }
  const { error } = tried;
  const gave_up = 'gaveUpAt' in tried;
  metrics?.put({ webhooks_failed: 1 }, { delivery_id });
  log.warn('webhook not delivered', { delivery_id, job_id, attempt, reason: error, gave_up });
}

/** So many at the same time, each as soon as there is room. `work` must not throw. */
async function forEachOf<T>(
  all: Iterable<T> | AsyncIterable<T>,
  concurrency: number,
  work: (one: T) => Promise<void>,
): Promise<void> {
  const underway = new Set<Promise<void>>();
  for await (const one of all) {
    const started: Promise<void> = work(one).finally(() => underway.delete(started));
    underway.add(started);
    if (underway.size >= concurrency) await Promise.race(underway);
  }
  await Promise.all(underway);
}
