// One round: ended jobs become deliveries, and due deliveries are sent until none is left. A crash after any step is made
// good by another process, which repeats the step: a receiver recognises a repeated webhook by its id.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery, Tried, Due } from '../core/delivery.ts';
import { inTurn } from '../core/in-turn.ts';
import type { Job } from '../core/job-state.ts';
import { WEBHOOK_LEASE } from '../core/limits.ts';
import { traceHeaders, traceIdOf } from '../core/trace.ts';
import { nextTry } from '../core/webhook.ts';
import type { Images } from '../images/images.ts';
import type { Metrics } from '../metrics.ts';
import type { Jobs } from '../store/jobs.ts';
import type { Ledger } from '../store/ledgers.ts';
import type { WebhookSecrets } from '../store/webhook-secrets.ts';
import { payloadOf } from './payload.ts';
import { runpodPayload } from './runpod-payload.ts';
import { createSendSlots, type SendSlots } from './send-slots.ts';
import type { Send } from './send.ts';
import { sign } from './sign.ts';
import { takeOver, type TakeOverDeps } from './outbox.ts';

export interface DeliverDeps extends TakeOverDeps {
  jobs: TakeOverDeps['jobs'] & Pick<Jobs, 'read'>;
  webhookSecrets: WebhookSecrets;
  /** For messages that have files in them. */
  images: Pick<Images, 'get'>;
  send: Send;
  metrics?: Metrics;
  ledger: Pick<Ledger, 'tried' | 'write'>;
  random(bytes: number): Uint8Array;
  /** Deliveries sent at the same time. */
  concurrency?: number;
}

export interface Round {
  /** Jobs that became deliveries. */
  taken: number;
  /** Deliveries that were tried. */
  tried: number;
  /** When the next delivery is due, ms; undefined: there is none. */
  nextDue?: number | undefined;
}

const CONCURRENCY = 32;
/** Messages with files in them that are made and sent at the same time: the Lambda has 256 MB. */
const WITH_FILES_AT_ONCE = 3;
/** Interval of polls during sends, ms: newly ended jobs do not wait for receivers that hang. */
const POLLS_AGAIN = 1000;
/** Interval of full reads, ms; in between only newly due deliveries are read. A long round puts its ledger as often. */
const POLLS_ALL = 30_000;

/** @param goesOn asked before each delivery; false leaves the rest to the next round. @throws where the tables do not answer */
export type DeliverRound = (goesOn?: () => boolean) => Promise<Round>;

/** Call it for one round at a time; it remembers between rounds which receivers answer. */
export function createDeliverer(deps: DeliverDeps): DeliverRound {
  const slots = createSendSlots(deps.concurrency ?? CONCURRENCY);
  const withFiles = inTurn(WITH_FILES_AT_ONCE);
  return async (goesOn = () => true) => {
    const underway = new Set<Promise<void>>();
    const round: Round = { taken: 0, tried: 0 };
    const start = (due: Due) => {
      const sent = sendOne(deps, slots, withFiles, due).then((tried) => {
        underway.delete(sent);
        if (tried) round.tried += 1;
      });
      underway.add(sent);
    };
    let more = false;
    let readAllAt = -Infinity;
    const poll = async () => {
      if (performance.now() - readAllAt < POLLS_ALL) {
        slots.wait(await deps.deliveries.listLatelyDue(deps.now(), slots.knows));
        return;
      }
      await putLedger(deps);
      const now = await deps.deliveries.listDue(deps.now());
      readAllAt = performance.now();
      more = now.more;
      round.nextDue = now.nextDue;
      slots.clear();
      slots.wait(now.due);
    };
    try {
      for (;;) {
        round.taken += await takeOver(deps);
        await poll();
        const { tried } = round;
        await sendUntil(POLLS_AGAIN, underway, () => {
          while (goesOn()) {
            const next = slots.next();
            if (!next) return;
            start(next);
          }
        });
        if (!goesOn()) return round;
        if (underway.size > 0) continue;
        // All that was read is sent, here or by another process.
        if (!more || round.tried === tried) return round;
        readAllAt = -Infinity;
      }
    } finally {
      await Promise.all(underway);
      await putLedger(deps);
    }
  };
}

/** Nothing was counted: no write. Never throws: its numbers are for plots, and a webhook does not wait for them. */
async function putLedger({ ledger, log }: DeliverDeps): Promise<void> {
  try {
    await ledger.write();
  } catch (error) {
    log.error('round.failed', error, { round: 'ledger' });
  }
}

/** Starts sends whenever a slot is free, until none is under way or `ms` have passed. */
async function sendUntil(ms: number, underway: ReadonlySet<Promise<void>>, start: () => void): Promise<void> {
  const early = new AbortController();
  let late = false;
  const over = sleep(ms, undefined, { signal: early.signal }).then(
    () => (late = true),
    () => undefined,
  );
  for (start(); underway.size > 0 && !late; start()) await Promise.race([over, ...underway]);
  early.abort();
}

/** False: another process has the lease, or the outcome is unknown. Never throws. */
async function sendOne(
  deps: DeliverDeps,
  slots: SendSlots,
  withFiles: ReturnType<typeof inTurn>,
  due: Due,
): Promise<boolean> {
  const { deliveries, log, now, random } = deps;
  let answered: boolean | undefined;
  try {
    const claim = Buffer.from(random(16)).toString('hex');
    const delivery = await deliveries.claim(due, claim, now() + WEBHOOK_LEASE);
    if (!delivery) return false;
    const job = await endedJob(deps, delivery);
    const tried = !job
      ? { gaveUpAt: now(), error: 'the job was removed before it could be reported' }
      : job.request.webhookAs === 'runpod'
        ? await withFiles(async () =>
            tryOnce(deps, delivery, job, await runpodPayload(deps.images, job.state)),
          )
        : await tryOnce(deps, delivery, job, payloadOf(job));
    if (job) answered = tried.status !== undefined;
    if (await deliveries.record(delivery, claim, tried)) deps.ledger.tried(tried);
    report(deps, delivery, tried, job);
    return true;
  } catch (error) {
    // Its lease ends, and a later round tries again.
    log.error('webhook.send_failed', error, { deliveryId: due.deliveryId });
    return false;
  } finally {
    slots.free(due, answered);
  }
}

/** Undefined: the job was removed. */
async function endedJob({ jobs }: DeliverDeps, { jobId, endedAt }: Delivery): Promise<Job | undefined> {
  const job = await jobs.read(jobId);
  // A repeated request may have made another job of this id.
  return job?.state.endedAt === endedAt ? job : undefined;
}

async function tryOnce(
  deps: DeliverDeps,
  delivery: Delivery,
  { request }: Job,
  body: string,
): Promise<Tried> {
  const { webhookSecrets, send, now, random } = deps;
  const { deliveryId, owner, url, attempts, since } = delivery;
  const secret = await webhookSecrets.of(owner, random);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'comfyui-rest-api',
    ...traceHeaders(request, random(8)),
  };
  const answer = await send(url, { ...headers, ...sign(secret, deliveryId, now(), body) }, body);
  const { status, error, final } = answer;
  if (error === undefined) return { deliveredAt: now(), status: status! };
  const failed = { error, ...(status !== undefined && { status }) };
  const retryAt = final ? undefined : nextTry(attempts, since, now(), random(1)[0]! / 255);
  return retryAt === undefined ? { gaveUpAt: now(), ...failed } : { retryAt, ...failed };
}

/** Logs without the endpoint, which may contain a secret of the receiver's. */
function report({ log, metrics }: DeliverDeps, delivery: Delivery, tried: Tried, job: Job | undefined): void {
  const { deliveryId, jobId, owner, attempts: attempt } = delivery;
  const about = { deliveryId, jobId, owner, attempt, traceId: job && traceIdOf(job.request) };
  if ('deliveredAt' in tried) {
    metrics?.put({ webhooks_delivered: 1 }, { deliveryId, jobId });
    log.info('webhook.delivered', about);
    return;
  }
  const { error } = tried;
  metrics?.put({ webhooks_failed: 1 }, { deliveryId, jobId });
  log.warn('webhook.delivery_failed', { ...about, error, gaveUp: 'gaveUpAt' in tried });
}
