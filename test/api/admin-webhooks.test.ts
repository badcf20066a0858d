// GET /api/admin/webhooks: everybody's deliveries, by owner and state, in pages of which each delivery is on one.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { Scope } from '../../functions/core/access.ts';
import { type Delivery, dueOf, dueOrder, gaveUpOrder } from '../../functions/core/delivery.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { createKey } from './comfyui-wire/keys.ts';
import { anotherProcess, call, type Json } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

const URL = 'https://example.com/hook';
const TYPES = ['job.completed', 'job.failed', 'job.cancelled'] as const;
let made = 0;

async function put(owner: string, state: 'pending' | 'delivered' | 'failed'): Promise<string> {
  made += 1;
  const at = 1_800_000_000_000 + made;
  const jobId = randomUUID();
  const addressed = { deliveryId: randomUUID(), owner, url: URL };
  const delivery: Delivery = {
    ...addressed,
    jobId,
    ownerOrder: `${at}#${jobId}`,
    type: TYPES[made % 3]!,
    endedAt: at,
    createdAt: at,
    since: at,
    attempts: 1,
    expiresAt: Math.ceil(at / 1000),
    ...(state === 'pending' && { due: 'due', dueAt: at, dueOrder: dueOrder(dueOf(addressed, at)) }),
    ...(state === 'delivered' && { deliveredAt: at, lastStatus: 200 }),
    ...(state === 'failed' && { due: 'gave-up', gaveUpAt: at, dueOrder: gaveUpOrder(addressed, at) }),
  };
  await rig.store.deliveries.put(delivery);
  return delivery.deliveryId;
}

interface Listed {
  id: string;
  owner: string;
  status: string;
}

const page = async (query: string) => {
  const { status, json } = await call(rig.app, `GET /api/admin/webhooks?${query}`);
  expect(status).toBe(200);
  return json as { webhooks: Listed[]; next_cursor: string | null };
};

async function all(query: string): Promise<{ found: Listed[]; pages: number }> {
  const found: Listed[] = [];
  let pages = 0;
  for (let cursor: string | null = ''; cursor !== null; pages += 1) {
    const { webhooks, next_cursor: next }: Awaited<ReturnType<typeof page>> = await page(
      `${query}${cursor && `&cursor=${cursor}`}`,
    );
    found.push(...webhooks);
    cursor = next;
  }
  return { found, pages };
}

const ids = (listed: Listed[]) => listed.map(({ id }) => id);

describe('a few of three owners', () => {
  const expected = new Map<string, string[]>();
  beforeAll(async () => {
    for (let n = 0; n < 30; n += 1) {
      const owner = ['ann', 'bob', 'cid'][n % 3]!;
      const state = (['delivered', 'pending', 'failed', 'delivered'] as const)[n % 4]!;
      const id = await put(owner, state);
      for (const key of ['', `owner=${owner}`, `state=${state}`, `owner=${owner}&state=${state}`])
        expected.set(key, [id, ...(expected.get(key) ?? [])]);
    }
  });

  test('all are there, newest first, with their owners', async () => {
    const { found } = await all('');
    expect(ids(found)).toEqual(expected.get(''));
    expect(new Set(found.map(({ owner }) => owner))).toEqual(new Set(['ann', 'bob', 'cid']));
  });

  test.each([2, 30])('in pages of %i each is on one', async (limit) => {
    for (const [key, wanted] of expected) {
      const { found } = await all(`${key}&limit=${limit}`);
      // Those that are to be sent stand in the order of their next try.
      const shown = key.includes('pending') ? ids(found).toReversed() : ids(found);
      expect([key, shown]).toEqual([key, wanted]);
    }
  });

  test('one that is sent again is pending, and not among the failed', async () => {
    const [failed] = (await page('state=failed&owner=ann')).webhooks;
    const sent = await call(rig.app, `POST /api/webhooks/${failed!.id}/redeliver`);
    expect(sent.status).toBe(202);
    expect(ids((await page('state=failed')).webhooks)).not.toContain(failed!.id);
    expect(ids((await page('state=pending')).webhooks)).toContain(failed!.id);
  });
});

test('of thousands the two that were given up are found at once, and the rest by bounded steps', async () => {
  const failed = [await put('many', 'failed'), await put('many', 'failed')];
  // DynamoDB's stand-in takes its time.
  const isQuick = inject('engine') === 'embedded';
  for (let n = 0; n < (isQuick ? 150 : 15); n += 1)
    await Promise.all(Array.from({ length: 20 }, () => put('many', 'pending')));
  const delivered = await put('rest', 'delivered');
  const first = await page('state=failed&owner=many');
  expect(ids(first.webhooks)).toEqual(failed.toReversed());
  expect(first.next_cursor).toBeNull();
  const rest = await all('state=delivered');
  expect(ids(rest.found)).toContain(delivered);
  expect(rest.found.every(({ status }) => status === 'delivered')).toBe(true);
  expect(rest.pages).toBeGreaterThan(isQuick ? 2 : 0);
  expect((await all('state=pending&owner=rest')).found).toEqual([]);
});

test.each(['state=sent', 'owner=%20', 'cursor=x', 'limit=0'])('%s is refused', async (query) => {
  const { status, json } = await call(rig.app, `GET /api/admin/webhooks?${query}`);
  expect([status, json['code']]).toEqual([400, 'invalid_field']);
});

test('is for a key with the scope admin', async () => {
  const guarded = anotherProcess(rig, { admit: askForKeys(rig.store) });
  const of = async (...scopes: Scope[]) => ({
    authorization: `Bearer ${await createKey(rig, 'eve', scopes)}`,
  });
  const statuses = await Promise.all(
    [{}, await of('generate', 'graphs', 'read'), await of('admin')].map(
      async (headers) => (await call(guarded, 'GET /api/admin/webhooks', { headers })).status,
    ),
  );
  expect(statuses).toEqual([401, 403, 200]);
});

test('one that a sender gives up is the first of the failed', async () => {
  const delivery = (
    await rig.store.deliveries.readListed((await rig.store.deliveries.rowsOf('due', 'ann', 1)).items)
  )[0]!;
  const due = dueOf(delivery, delivery.dueAt!);
  const claimed = await rig.store.deliveries.claim(due, 'mine', delivery.dueAt! + 1000);
  const gaveUpAt = 1_900_000_000_000;
  await rig.store.deliveries.record(claimed!, 'mine', { gaveUpAt, status: 410, error: 'it answered 410' });
  const { webhooks } = await page('state=failed');
  expect(webhooks[0]).toMatchObject({ id: delivery.deliveryId, last_status: 410 } satisfies Json);
});
