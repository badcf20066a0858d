// Webhooks over HTTP: what POST /api/generate takes, the list of deliveries, sending again, the secret.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import { randomBytes } from 'node:crypto';
import type { Delivery } from '../../functions/core/delivery.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, countStored, diesBeforeTheState } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

const generate = (json: object, headers: Record<string, string> = {}) =>
  call(rig.app, 'POST /api/generate', { json: { prompt: 'a fox', ...json }, headers });

describe('POST /api/generate', () => {
  test('keeps the address with the request, and its webhook is pending', async () => {
    const { status, json } = await generate({ webhook_url: 'https://Example.com/hook' });
    expect(status).toBe(202);
    const job = await rig.store.jobs.read(String(json['job_id']));
    expect(job!.request.webhookUrl).toBe('https://example.com/hook');
    expect(job!.state.webhook).toBe('pending');
    expect(job!.request.inputs).not.toHaveProperty('webhook_url');
  });

  test.each([{}, { webhook_url: null }])('%j is a job without one', async (body) => {
    const { status, json } = await generate(body);
    expect(status).toBe(202);
    expect(await rig.store.jobs.readState(String(json['job_id']))).not.toHaveProperty('webhook');
  });

  test.each([
    'http://example.com',
    'example.com',
    'https://u:p@example.com',
    `https://example.com/${'a'.repeat(2000)}`,
    7,
  ])('%j is refused with a sentence, and nothing is stored', async (webhook_url) => {
    const before = await countStored(rig);
    const { status, json } = await generate({ webhook_url });
    expect(status).toBe(400);
    expect(json).toMatchObject({
      error: expect.stringMatching(/^Invalid field: webhook_url (must|may) /) as string,
      code: 'invalid_field',
      details: { field: 'webhook_url' },
    });
    expect(await countStored(rig)).toEqual(before);
  });

  test('the address is part of what an idempotency key stands for', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await generate({ webhook_url: 'https://a.example/' }, key);
    expect((await generate({ webhook_url: 'https://a.example/' }, key)).json).toEqual(first.json);
    for (const other of [{ webhook_url: 'https://b.example/' }, {}])
      expect((await generate(other, key)).status).toBe(422);
  });

  test('a repetition after a death between the two puts arms the job all the same', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const dying = anotherProcess(rig, {
      jobs: diesBeforeTheState(rig.store.jobs),
    });
    const asked = { json: { prompt: 'a fox', webhook_url: 'https://a.example/' }, headers: key };
    expect((await call(dying, 'POST /api/generate', asked)).status).toBe(500);
    const { json } = await call(rig.app, 'POST /api/generate', asked);
    expect(await rig.store.jobs.readState(String(json['job_id']))).toMatchObject({ webhook: 'pending' });
  });
});

async function put(owner: string, more: Partial<Delivery> = {}): Promise<Delivery> {
  const createdAt = rig.store.now();
  const delivery: Delivery = {
    deliveryId: randomUUID(),
    jobId: randomUUID(),
    owner,
    ownerOrder: `${createdAt}#${randomUUID()}`,
    url: 'https://example.com/hook',
    type: 'job.completed',
    endedAt: createdAt,
    createdAt,
    since: createdAt,
    attempts: 3,
    lastStatus: 200,
    deliveredAt: createdAt,
    expiresAt: Math.ceil(createdAt / 1000) + 86_400,
    ...more,
  };
  await rig.store.deliveries.put(delivery);
  return delivery;
}

async function keyOf(owner: string, ...scopes: Scope[]): Promise<Record<string, string>> {
  const { key, keyId, hash } = drawKey(randomBytes);
  await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: rig.store.now() });
  return { 'x-api-key': key };
}

describe('GET /api/webhooks', () => {
  test('says how each stands', async () => {
    const at = rig.store.now();
    const time = new Date(at).toISOString();
    const delivered = await put('says', { ownerOrder: `${at}#1`, createdAt: at, deliveredAt: at });
    const failing: Partial<Delivery> = { lastError: 'it answered 500', lastStatus: 500 };
    await put('says', { ...failing, ownerOrder: `${at}#2`, due: 'due', dueAt: at });
    await put('says', { ...failing, ownerOrder: `${at}#3`, gaveUpAt: at });
    const { json } = await call(rig.app, 'GET /api/webhooks?owner=says');
    expect(json['next_cursor']).toBeNull();
    const [gaveUp, pending, done] = json['webhooks'] as Record<string, unknown>[];
    expect(done).toEqual({
      id: delivered.deliveryId,
      job_id: delivered.jobId,
      url: 'https://example.com/hook',
      type: 'job.completed',
      status: 'delivered',
      attempts: 3,
      last_status: 200,
      last_error: null,
      created_at: time,
      delivered_at: time,
      next_attempt_at: null,
    });
    expect(pending).toMatchObject({
      status: 'pending',
      last_error: 'it answered 500',
      next_attempt_at: time,
    });
    expect(gaveUp).toMatchObject({ status: 'failed', last_status: 500, next_attempt_at: null });
  });

  test('gives pages, newest first, of which each webhook is on one', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      const ownerOrder = `${1_800_000_000_000 + count}#${randomUUID()}`;
      ids.unshift((await put('pages', { ownerOrder })).deliveryId);
    }
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { json } = await call(rig.app, `GET /api/webhooks?owner=pages&limit=3${cursor}`);
      const page = json['webhooks'] as { id: string }[];
      expect(page.length).toBeLessThanOrEqual(3);
      seen.push(...page.map(({ id }) => id));
      const next = json['next_cursor'] as string | null;
      cursor = next === null ? '' : `&cursor=${next}`;
    } while (cursor !== '');
    expect(seen).toEqual(ids);
  });

  test.each(['limit=0', 'limit=1001', 'cursor=x', `cursor=${Buffer.from('nonsense').toString('base64url')}`])(
    '?%s is refused',
    async (query) => {
      const { status, json } = await call(rig.app, `GET /api/webhooks?${query}`);
      expect([status, json['code']]).toEqual([400, 'invalid_field']);
    },
  );
});

describe('POST /api/webhooks/<id>/redeliver', () => {
  test('makes it due at once, under its id, and tells whoever delivers', async () => {
    let told = 0;
    const app = anotherProcess(rig, {
      webhookDue: () => {
        told += 1;
      },
    });
    const { deliveryId } = await put('local', { lastStatus: 500, lastError: 'it answered 500', gaveUpAt: 1 });
    const before = rig.store.now();
    const { status, json } = await call(app, `POST /api/webhooks/${deliveryId}/redeliver`);
    expect(status).toBe(202);
    expect(json).toMatchObject({ id: deliveryId, status: 'pending', attempts: 0, last_status: 500 });
    expect(told).toBe(1);
    const stored = (await rig.store.deliveries.read(deliveryId))!;
    expect(stored).toMatchObject({ due: 'due', attempts: 0 });
    expect(stored.dueAt).toBeGreaterThanOrEqual(before);
    expect(stored.since).toBe(stored.dueAt);
    expect(stored).not.toHaveProperty('gaveUpAt');
    // Twice is as good as once.
    expect((await call(app, `POST /api/webhooks/${deliveryId}/redeliver`)).status).toBe(202);
  });

  test.each([randomUUID(), 'nonsense', '..%2F..', 'x'.repeat(500)])('%s is 404', async (id) => {
    const { status, json } = await call(rig.app, `POST /api/webhooks/${id}/redeliver`);
    expect([status, json['code']]).toEqual([404, 'webhook_not_found']);
  });
});

describe('with keys', () => {
  const guarded = () =>
    anotherProcess(rig, { admit: askForKeys({ keys: rig.store.keys, now: rig.store.now }) });
  const ROUTES = [
    { route: 'GET /api/webhooks', needs: 'read', other: 'generate', good: 200 },
    { route: 'GET /api/webhooks/secret', needs: 'generate', other: 'read', good: 200 },
    { route: 'POST /api/webhooks/ID/redeliver', needs: 'generate', other: 'read', good: 202 },
  ] as const;

  test.each(ROUTES)(
    '$route needs $needs, and nobody comes in without a key',
    async ({ route, ...expected }) => {
      const app = guarded();
      const { deliveryId } = await put('alice');
      const path = route.replace('ID', deliveryId);
      expect((await call(app, path)).status).toBe(401);
      const refused = await call(app, path, { headers: await keyOf('alice', expected.other) });
      expect([refused.status, refused.json['code']]).toEqual([403, 'forbidden']);
      expect((await call(app, path, { headers: await keyOf('alice', expected.needs) })).status).toBe(
        expected.good,
      );
      expect((await call(app, path, { headers: await keyOf('root', 'admin') })).status).toBe(expected.good);
    },
  );

  test('another’s webhook is answered as if it did not exist, and is as it was', async () => {
    const app = guarded();
    const theirs = await put('alice');
    const mallory = await keyOf('mallory', 'generate', 'read');
    const list = await call(app, 'GET /api/webhooks', { headers: mallory });
    expect(list.json).toEqual({ webhooks: [], next_cursor: null });
    expect((await call(app, 'GET /api/webhooks?owner=alice', { headers: mallory })).status).toBe(403);
    const foreign = await call(app, `POST /api/webhooks/${theirs.deliveryId}/redeliver`, {
      headers: mallory,
    });
    const none = await call(app, `POST /api/webhooks/${randomUUID()}/redeliver`, { headers: mallory });
    expect(foreign.status).toBe(404);
    expect(foreign.json).toEqual(none.json);
    expect(await rig.store.deliveries.read(theirs.deliveryId)).toMatchObject(theirs);
  });

  test('a secret is its owner’s, the same at every call, and kept by nobody on the way', async () => {
    const app = guarded();
    const alice = await keyOf('alice-secret', 'generate');
    const asked = await Promise.all(
      Array.from({ length: 5 }, () => call(app, 'GET /api/webhooks/secret', { headers: alice })),
    );
    expect(new Set(asked.map(({ json }) => json['secret'])).size).toBe(1);
    expect(asked[0]!.json['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(asked[0]!.headers.get('cache-control')).toBe('no-store');
    const bob = await call(app, 'GET /api/webhooks/secret', {
      headers: await keyOf('bob-secret', 'generate'),
    });
    expect(bob.json['secret']).not.toBe(asked[0]!.json['secret']);
  });
});
