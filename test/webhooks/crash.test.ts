// A sender may die at any step, and others may run beside it: no webhook is lost, and one sent twice has one id.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dueOf, dueOrder } from '../../functions/core/delivery.ts';
import { cancel } from '../../functions/core/job.ts';
import { deliveryIdOf } from '../../functions/core/names.ts';
import { deliveriesTable } from '../../functions/store/tables.ts';
import { resolveAsMachine } from '../../functions/outbound/address.ts';
import type { DeliverDeps } from '../../functions/webhooks/deliver.ts';
import { createSend } from '../../functions/webhooks/send.ts';
import { outbox, type DeliveryRig, startDeliveryRig } from './rig.ts';

let rig: DeliveryRig;
beforeEach(async () => {
  rig = await startDeliveryRig();
});
afterEach(() => rig.close());

/** The process dies at its nth call of anything outside: with it done, or not done. */
function dyingAt(n: number, done: boolean): { deps: DeliverDeps; calls(): number } {
  let calls = 0;
  const die = () => Promise.reject(new Error('the process died'));
  const mortal = <Work extends (...args: never[]) => unknown>(work: Work): Work =>
    ((...args: never[]) => {
      calls += 1;
      if (calls > n || (calls === n && !done)) return die();
      const result = work(...args);
      return calls === n ? Promise.resolve(result).then(die) : result;
    }) as unknown as Work;
  const all = <Store extends object>(store: Store): Store =>
    Object.fromEntries(
      Object.entries(store).map(([name, work]: [string, unknown]) =>
        // What yields pages is read only: dying there is dying at the call that follows.
        typeof work === 'function' && !name.startsWith('list')
          ? [name, mortal(work.bind(store) as never)]
          : [name, work],
      ),
    ) as Store;
  const { jobs, deliveries, webhookSecrets, send, ...rest } = rig.deps();
  return {
    deps: {
      ...rest,
      jobs: all(jobs),
      deliveries: all(deliveries),
      webhookSecrets: all(webhookSecrets),
      send: mortal(send),
      concurrency: 1,
    },
    calls: () => calls,
  };
}

describe('a process that dies', () => {
  /** Of a round with one webhook: states, request, delivery, outbox, claim, job, secret, sending, result. */
  const STEPS = 9;

  test('has so many places to die at', async () => {
    await rig.cancelled();
    const { deps, calls } = dyingAt(Infinity, true);
    await rig.round(deps);
    expect(calls()).toBe(STEPS);
  });

  const slots = Array.from({ length: STEPS }, (_, index) => index + 1).flatMap((n) => [
    [n, 'before it is done', false] as const,
    [n, 'after it is done', true] as const,
  ]);
  test.each(slots)('at step %i, %s, loses no webhook, and sends it under one id', async (n, _when, done) => {
    const jobId = await rig.cancelled();
    await rig.round(dyingAt(n, done).deps).catch(() => undefined);
    rig.wait(31_000);
    await rig.round();
    rig.wait(31_000);
    await rig.round();
    const { createdAt } = (await rig.store.jobs.readState(jobId))!;
    const { got } = rig.receiver;
    // Sent, and died before that was written: only then it comes twice.
    const twice = (n === 8 && done) || (n === 9 && !done);
    expect(got).toHaveLength(twice ? 2 : 1);
    expect(new Set(got.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([deliveryIdOf(jobId, createdAt)]),
    );
    expect(await outbox(rig)).toEqual([]);
    const deliveries = await rig.listed();
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]).toMatchObject({ lastStatus: 200, deliveredAt: expect.any(Number) as number });
    expect(deliveries[0]).not.toHaveProperty('due');
  });

  test('while it sends leaves its lease, and no other sends before that ends', async () => {
    await rig.cancelled();
    await rig.round(dyingAt(7, true).deps);
    rig.wait(29_000);
    expect(await rig.round()).toMatchObject({ tried: 0 });
    expect(rig.receiver.got).toHaveLength(0);
    rig.wait(2000);
    expect(await rig.round()).toMatchObject({ tried: 1 });
    expect(rig.receiver.got).toHaveLength(1);
  });
});

test('of several processes at once one sends', async () => {
  for (let jobs = 0; jobs < 20; jobs += 1) await rig.cancelled();
  const rounds = await Promise.all(Array.from({ length: 4 }, () => rig.round()));
  expect(rounds.reduce((sum, { tried }) => sum + tried, 0)).toBe(20);
  const ids = rig.receiver.got.map(({ headers }) => headers['webhook-id']);
  expect(ids).toHaveLength(20);
  expect(new Set(ids).size).toBe(20);
  expect(await outbox(rig)).toEqual([]);
});

test('one job whose parts cannot be read does not stop the others', async () => {
  const broken = await rig.cancelled();
  await rig.cancelled();
  const { jobs } = rig.deps();
  const readRequests = async (ids: string[]) => {
    const found = await jobs.readRequests(ids);
    found.delete(broken);
    return found;
  };
  expect(await rig.round({ jobs: { ...jobs, readRequests } })).toMatchObject({ taken: 1, tried: 1 });
  expect(await outbox(rig)).toEqual([broken]);
  expect(await rig.round()).toMatchObject({ taken: 1, tried: 1 });
});

/** WEBHOOKS=10000 takes a minute of a quiet machine: the embedded DynamoDB makes a thousand writes a second. */
const COUNT = Number(process.env['WEBHOOKS'] ?? 1000);

test(`${COUNT} that are due at once are sent 24 at a time, each once`, { timeout: 600_000 }, async () => {
  const jobId = await rig.generate();
  const now = rig.store.now();
  const { url } = rig.receiver;
  await rig.store.jobs.write(jobId, cancel(now));
  const items = Array.from({ length: COUNT }, (_, index) => {
    const deliveryId = `many-${index}`;
    return {
      v: 1,
      deliveryId,
      jobId,
      owner: 'local',
      ownerOrder: deliveryId,
      url,
      type: 'job.cancelled',
      endedAt: now,
      createdAt: now,
      since: now,
      due: 'due',
      dueAt: now,
      dueOrder: dueOrder(dueOf({ deliveryId, owner: 'local', url }, now)),
      attempts: 0,
      expiresAt: Math.ceil(now / 1000) + 86_400,
    };
  });
  const table = rig.store.engine.table(deliveriesTable);
  await Promise.all(items.map((item) => table.put(item)));
  // It has earned its slots when it has answered that often; then it answers when all are taken.
  const earned = 24;
  const held: (() => void)[] = [];
  rig.receiver.answer((_got, res, nth) => {
    if (nth <= earned || held.length === earned) res.end();
    else if (held.push(() => res.end()) === earned) for (const answer of held) answer();
  });
  const send = createSend({ resolve: resolveAsMachine, allowPrivate: true, own: new Set(), limit: 20_000 });
  const { tried } = await rig.round({ send });
  expect(rig.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  expect(tried).toBe(COUNT);
  expect(new Set(rig.receiver.got.map(({ headers }) => headers['webhook-id'])).size).toBe(COUNT);
  expect(rig.receiver.got).toHaveLength(COUNT);
  expect(rig.receiver.most()).toBe(earned);
});
