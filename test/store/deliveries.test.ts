// The table of deliveries where answers are lost: a claim that was made is known by its own mark, and nothing that was
// written twice counts twice.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Delivery, dueOf, dueOrder } from '../../functions/core/delivery.ts';
import { createDeliveries, type Deliveries } from '../../functions/store/deliveries.ts';
import { createWebhookSecrets } from '../../functions/store/webhook-secrets.ts';
import * as job from '../../functions/core/job.ts';
import { HOST, IMAGE, NOW, STATES, STEPS } from '../core/job-states.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { type Line, tap } from './lost-answers.ts';

let store: TestStore;
let deliveries: Deliveries;
let line: Line;
beforeAll(async () => {
  store = await startStore();
  line = tap(store.engine);
  deliveries = createDeliveries(line.engine);
});
afterAll(() => store.close());

async function put(more: Partial<Delivery> = {}): Promise<Delivery> {
  const deliveryId = randomUUID();
  const [owner, url] = ['owner', 'https://example.com/'];
  const delivery: Delivery = {
    deliveryId,
    jobId: randomUUID(),
    owner,
    ownerOrder: `${NOW}#${deliveryId}`,
    url,
    type: 'job.completed',
    endedAt: NOW,
    createdAt: NOW,
    since: NOW,
    due: 'due',
    dueAt: NOW,
    dueOrder: dueOrder(dueOf({ deliveryId, owner, url }, NOW)),
    attempts: 0,
    expiresAt: 1,
    ...more,
  };
  await deliveries.put(delivery);
  return delivery;
}
const asDue = (delivery: Delivery) => dueOf(delivery, delivery.dueAt!);

test('a claim that was made and looks refused is one’s own, and counts once', async () => {
  const delivery = await put();
  line.lose(1);
  const claimed = await deliveries.claim(asDue(delivery), 'mine', NOW + 30_000);
  expect(claimed).toMatchObject({ claim: 'mine', attempts: 1, dueAt: NOW + 30_000 });
});

test('a claim that another made is not one’s own', async () => {
  const delivery = await put();
  expect(await deliveries.claim(asDue(delivery), 'first', NOW + 30_000)).toBeDefined();
  expect(await deliveries.claim(asDue(delivery), 'second', NOW + 30_000)).toBeUndefined();
  expect(await deliveries.read(delivery.deliveryId)).toMatchObject({ claim: 'first', attempts: 1 });
});

test('what is settled twice is settled once; who has lost the claim settles nothing', async () => {
  const delivery = await put();
  await deliveries.claim(asDue(delivery), 'late', NOW + 1);
  await deliveries.claim({ ...asDue(delivery), dueAt: NOW + 1 }, 'mine', NOW + 2);
  const gaveUp = { gaveUpAt: NOW, error: 'too late to say' };
  expect(await deliveries.record(delivery, 'late', gaveUp)).toBe(false);
  line.lose(1);
  await deliveries.record(delivery, 'mine', { deliveredAt: NOW + 3, status: 200 });
  const committedTotals = await deliveries.read(delivery.deliveryId);
  expect(committedTotals).toMatchObject({ deliveredAt: NOW + 3, lastStatus: 200, attempts: 2 });
  for (const field of ['due', 'dueAt', 'dueOrder', 'claim', 'gaveUpAt', 'lastError'])
    expect(committedTotals).not.toHaveProperty(field);
});

test('sent again while it is being sent: it is sent once more, whatever comes of the first', async () => {
  const delivery = await put();
  await deliveries.claim(asDue(delivery), 'mine', NOW + 30_000);
  await deliveries.redeliver(delivery, NOW + 5);
  expect(await deliveries.record(delivery, 'mine', { deliveredAt: NOW + 6, status: 200 })).toBe(false);
  expect(await deliveries.read(delivery.deliveryId)).toMatchObject({ due: 'due', dueAt: NOW + 5 });
});

test('put again, it stays as it has become; and one that is gone is not made by sending it again', async () => {
  const delivery = await put();
  await deliveries.claim(asDue(delivery), 'mine', NOW + 30_000);
  await deliveries.put(delivery);
  expect(await deliveries.read(delivery.deliveryId)).toMatchObject({ claim: 'mine', attempts: 1 });
  const gone = { ...delivery, deliveryId: randomUUID() };
  expect(await deliveries.redeliver(gone, NOW)).toBeUndefined();
  expect(await deliveries.read(gone.deliveryId)).toBeUndefined();
});

test('of a backlog both ends are looked at; whose they are is told without reading them', async () => {
  const own = createDeliveries(line.engine);
  const at = NOW - 1_000_000;
  const made: Delivery[] = [];
  for (let nth = 0; nth < 30; nth += 1) {
    const deliveryId = `backlog-${String(nth).padStart(2, '0')}`;
    const named = { deliveryId, owner: 'alice', url: `https://${nth}.example/x` };
    made.push(await put({ ...named, dueAt: at + nth, dueOrder: dueOrder(dueOf(named, at + nth)) }));
  }
  const now = at + 19;
  const ids = async (lookedAt: number) => {
    const { due, ...rest } = await own.listDue(now, lookedAt);
    expect(due.every((one) => one.owner === dueOf(made[0]!, 0).owner)).toBe(true);
    return { due: due.map(({ deliveryId }) => Number(deliveryId.slice(-2))), ...rest };
  };
  expect(await ids(5)).toEqual({ due: [0, 1, 2, 3, 4, 15, 16, 17, 18, 19], more: true });
  const all = Array.from({ length: 20 }, (_, nth) => nth);
  expect(await ids(12)).toEqual({ due: all, more: true });
  expect(await ids(100)).toEqual({ due: all, more: false, nextDue: at + 20 });
  for (const delivery of made) {
    await own.claim(asDue(delivery), 'mine', NOW);
    await own.record(delivery, 'mine', { deliveredAt: NOW, status: 200 });
  }
});

test('a secret whose making lost its answer is the one that was made; of many at once one is', async () => {
  const secrets = createWebhookSecrets(line.engine);
  const drawn = (byte: number) => (bytes: number) => new Uint8Array(bytes).fill(byte);
  const first = await secrets.of('owner', drawn(1));
  expect(await secrets.of('owner', drawn(2))).toBe(first);
  const many = await Promise.all([3, 4, 5, 6].map((byte) => secrets.of('other', drawn(byte))));
  expect(new Set(many).size).toBe(1);
});

const fence = { attempt: 20, host: HOST };
const last = { ...STATES['processing, at every limit'] };
test.each<[string, job.JobState, (state: job.JobState) => job.Change]>([
  ['completed', STATES.processing, (s) => job.complete(s, { attempt: 1, host: HOST }, [IMAGE], STEPS, NOW)],
  [
    'failed',
    STATES.processing,
    () => job.fail(STATES.processing, { attempt: 1, host: HOST }, { code: 'no_output', message: 'x' }, NOW),
  ],
  ['lost too often', last, (s) => job.lose(s, fence, 'x', NOW)],
  ['swept too often', last, (s) => job.sweep(s, 'x', NOW)],
  ['cancelled', STATES.held, () => job.cancel(NOW)],
  ['cleared', STATES.waiting, () => job.clear(NOW)],
  ['expired', STATES['waiting for more than a day'], () => job.expire(STATES.waiting, NOW)],
])(
  'a job that is %s is in the outbox by that very write, and out of it when it was taken over',
  async (_n, state, end) => {
    const { jobs } = store;
    const jobId = randomUUID();
    const inOutbox = async () => {
      for await (const page of jobs.listWebhookPending()) if (page.includes(jobId)) return true;
      return false;
    };
    const armed: job.JobState = { ...state, jobId, ownerOrder: `${NOW}#${jobId}`, webhook: 'pending' };
    await jobs.putState(armed, 1);
    expect(await inOutbox()).toBe(false);
    // What is not over is not taken over.
    expect(await jobs.write(jobId, job.clearWebhook())).toBe(false);
    expect(await jobs.write(jobId, end(armed))).toBe(true);
    expect(await inOutbox()).toBe(true);
    expect(await jobs.write(jobId, job.clearWebhook())).toBe(true);
    expect(await inOutbox()).toBe(false);
    const { webhook: _webhook, ...expected } = job.apply(armed, end(armed))!;
    expect(await jobs.readState(jobId)).toMatchObject(expected);
  },
);
