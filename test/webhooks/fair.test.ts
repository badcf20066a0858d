// Which webhooks are sent when there are more than slots: a fair share by owner, and a receiver that hangs holds one slot
// of a sender.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dueOf, dueOrder } from '../../functions/core/delivery.ts';
import { cancel } from '../../functions/core/job.ts';
import { createLog } from '../../functions/log.ts';
import { deliverWhileBusy } from '../../functions/webhooks/rounds.ts';
import { createSend } from '../../functions/webhooks/send.ts';
import { startDelivering } from '../../functions/webhooks/ticker.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type DeliveryRig, startDeliveryRig } from './rig.ts';

/** Of a try. */
const LIMIT = 1000;
const DEAD = 500;
/** Slots of a sender that one owner may have. */
const OF_OWNER = 24;

let rig: DeliveryRig;
let dead: Receiver;
beforeEach(async () => {
  rig = await startDeliveryRig();
  dead = await startReceiver();
  dead.answer(() => undefined);
});
afterEach(async () => {
  await dead.close();
  await rig.close();
});

/** Every name is this machine. */
const send = createSend({
  resolve: () => Promise.resolve(['127.0.0.1']),
  allowPrivate: true,
  own: new Set(),
  limit: LIMIT,
});
/** Tries of the dead, up to then. Counted, not timed: the machine that tests is busy. */
const triedUntil = (time: number) => dead.got.filter((one) => one.at <= time).length;
const at = (name: string, { port }: Receiver) => `http://${name}.example:${port}/`;

/** Deliveries that are due, one for each address. */
async function due(owner: string, urls: string[], row: (id: string, dueAt: number) => object = () => ({})) {
  const { store } = rig;
  const jobId = await rig.generate();
  const now = store.now();
  await store.jobs.write(jobId, cancel(now));
  const all = urls.map((url) => {
    const deliveryId = randomUUID();
    return {
      deliveryId,
      jobId,
      owner,
      ownerOrder: deliveryId,
      url,
      type: 'job.cancelled' as const,
      endedAt: now,
      createdAt: now,
      since: now,
      due: 'due' as const,
      dueAt: now,
      dueOrder: dueOrder(dueOf({ deliveryId, owner, url }, now)),
      attempts: 0,
      expiresAt: Math.ceil(now / 1000) + 86_400,
      ...row(deliveryId, now),
    };
  });
  for (const one of all) await store.deliveries.put(one);
}

/** Rounds as a process makes them, until the test ends. */
async function delivering(senders: number, work: () => Promise<void>): Promise<void> {
  const started = Array.from({ length: senders }, () => {
    return startDelivering(rig.deliverer({ send }), {
      log: createLog('webhooks', 'error'),
      now: rig.store.now,
    });
  });
  try {
    await work();
  } finally {
    await Promise.all(started.map((one) => one.stop()));
  }
}

const many = (count: number, name: string) => Array.from({ length: count }, (_, nth) => `${name}-${nth}`);

test(`one owner’s ${DEAD} dead receivers do not delay another’s webhook`, { timeout: 60_000 }, async () => {
  await due(
    'alice',
    many(DEAD, 'dead').map((name) => at(name, dead)),
  );
  await due('bob', [at('live', rig.receiver)]);
  await delivering(1, async () => {
    const [got] = await rig.receiver.until(1);
    expect(triedUntil(got!.at)).toBeLessThanOrEqual(OF_OWNER);
  });
});

test('nor that of a job which ends while they are tried', { timeout: 60_000 }, async () => {
  await due(
    'alice',
    many(DEAD, 'dead').map((name) => at(name, dead)),
  );
  await delivering(1, async () => {
    await dead.until(OF_OWNER);
    await rig.cancelled();
    const [got] = await rig.receiver.until(1);
    expect(triedUntil(got!.at)).toBeLessThanOrEqual(3 * OF_OWNER);
  });
});

test('nor where several send, and each is sent once', { timeout: 60_000 }, async () => {
  await due(
    'alice',
    many(DEAD, 'dead').map((name) => at(name, dead)),
  );
  await due(
    'bob',
    many(20, 'live').map((name) => at(name, rig.receiver)),
  );
  await delivering(3, async () => {
    const got = await rig.receiver.until(20);
    expect(triedUntil(got.at(-1)!.at)).toBeLessThanOrEqual(2 * 3 * OF_OWNER);
  });
  const ids = rig.receiver.got.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(20);
  expect(new Set(ids).size).toBe(20);
});

test('nor on AWS, where a function has a minute', { timeout: 60_000 }, async () => {
  await due(
    'alice',
    many(DEAD, 'dead').map((name) => at(name, dead)),
  );
  const round = rig.deliverer({ send });
  const ends = performance.now() + 12_000;
  const invoked = deliverWhileBusy(round, () => ends - performance.now());
  await dead.until(OF_OWNER);
  await rig.cancelled();
  const [got] = await rig.receiver.until(1);
  expect(triedUntil(got!.at)).toBeLessThanOrEqual(3 * OF_OWNER);
  await invoked;
});

test('a receiver that hangs holds one slot, and the owner’s others go on', { timeout: 60_000 }, async () => {
  await due(
    'alice',
    Array.from({ length: 100 }, () => at('dead', dead)),
  );
  await due(
    'alice',
    Array.from({ length: 100 }, () => at('live', rig.receiver)),
  );
  await delivering(1, async () => {
    const got = await rig.receiver.until(100);
    // Some tries of the other had their whole time meanwhile, on a slow machine.
    expect(triedUntil(got.at(-1)!.at)).toBeLessThan(10);
    await dead.until(3);
  });
  expect(dead.most()).toBe(1);
});

test('one that hangs after it has answered falls back to one slot', { timeout: 60_000 }, async () => {
  await due(
    'alice',
    Array.from({ length: 100 }, () => at('live', rig.receiver)),
  );
  let open = 0;
  const seen: number[] = [];
  rig.receiver.answer((_got, res, nth) => {
    open += 1;
    res.once('close', () => (open -= 1));
    if (nth <= 50) res.end();
    else seen.push(open);
  });
  await delivering(1, async () => {
    // Those that were under way, and then one after the other.
    await rig.receiver.until(50 + OF_OWNER + 3);
    expect(seen.slice(-2)).toEqual([1, 1]);
    expect(Math.max(...seen)).toBeLessThanOrEqual(OF_OWNER);
  });
});

test('what an earlier release has left is sent', async () => {
  const { store } = rig;
  const names = many(20, 'old');
  await due(
    'alice',
    names.map((name) => at(name, rig.receiver)),
    (id, dueAt) => ({
      due: 'due',
      dueOrder: `${dueAt}#${id}`,
    }),
  );
  expect(await rig.deliverer({ send })()).toMatchObject({ tried: 20 });
  expect(rig.receiver.got).toHaveLength(20);
  expect((await store.deliveries.listOwner('alice', 100)).items.filter(({ due: still }) => still)).toEqual(
    [],
  );
});
