// Limits of owners over HTTP: who may set them, what they may be, what acts and what is used; and two who set them at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiApp } from '../../functions/api/deps.ts';
import { askForKeys } from '../../functions/api/http/access.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { createKey } from './comfyui-wire/keys.ts';
import { anotherProcess, call, type Json } from './support.ts';

let rig: Rig;
let guarded: ApiApp;
let admin: Record<string, string>;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  guarded = anotherProcess(rig, { admit: askForKeys(rig.store) });
  admin = { authorization: `Bearer ${await createKey(rig, 'boss', ['admin'])}` };
});
afterAll(() => rig.close());

const set = (owner: string, json: unknown, app = guarded) =>
  call(app, `POST /api/admin/limits/${owner}`, { json, headers: admin });
const limitsOf = async (owner: string, app = guarded) =>
  (await call(app, `GET /api/admin/limits/${owner}`, { headers: admin })).json['limits'] as Record<
    string,
    Json
  >;

test('an owner that has none of its own has the defaults', async () => {
  expect(await limitsOf('newcomer')).toEqual({
    requests_per_minute: { set: 'default', limit: 120, used: 0 },
    unfinished_jobs: { set: 'default', limit: 1000, used: 0 },
    images_per_day: { set: 'default', limit: null, used: 0 },
    usd_per_month: { set: 'default', limit: null, used: 0 },
    upload_mb: { set: 'default', limit: 1000, used: 0 },
  });
});

test('what is set acts, is shown, and what is not named stays', async () => {
  const key = { 'x-api-key': await createKey(rig, 'ann', ['generate', 'read']) };
  const first = await set('ann', {
    images_per_day: 1,
    upload_mb: 7,
    usd_per_month: 2.5,
    unfinished_jobs: 'unlimited',
  });
  expect(first).toMatchObject({
    status: 200,
    json: {
      owner: 'ann',
      limits: { images_per_day: { set: 1, limit: 1 }, unfinished_jobs: { limit: null } },
    },
  });
  const generate = () => call(guarded, 'POST /api/generate', { json: { prompt: 'a fox' }, headers: key });
  expect((await generate()).status).toBe(202);
  expect(await generate()).toMatchObject({ status: 429, json: { code: 'images_used_up' } });
  // What is used is as of a second ago.
  await expect
    .poll(() => limitsOf('ann'))
    .toMatchObject({
      images_per_day: { set: 1, limit: 1, used: 1 },
      unfinished_jobs: { set: 'unlimited', limit: null, used: 1 },
      usd_per_month: { set: 2.5, limit: 2.5 },
      upload_mb: { set: 7, limit: 7, used: 0 },
    });
  expect((await call(guarded, 'GET /api/usage', { headers: key })).json).toMatchObject({
    images_today: { limit: 1, remaining: 0 },
    upload_bytes: { limit: 7 * 1024 * 1024 },
  });

  await set('ann', { images_per_day: 'default', upload_mb: 'unlimited' });
  expect(await limitsOf('ann')).toMatchObject({
    images_per_day: { set: 'default', limit: null },
    upload_mb: { set: 'unlimited', limit: null },
    usd_per_month: { set: 2.5 },
  });
});

test('the list has all owners with keys, with jobs and images counted, as of the last change', async () => {
  await createKey(rig, 'zoe', ['read']);
  const key = { 'x-api-key': await createKey(rig, 'carl', ['generate']) };
  await set('carl', { requests_per_minute: 1 });
  expect((await call(guarded, 'POST /api/generate', { json: { prompt: 'x' }, headers: key })).status).toBe(
    202,
  );
  const fresh = anotherProcess(rig, { admit: askForKeys(rig.store) });
  const read = async () => (await call(fresh, 'GET /api/admin/limits', { headers: admin })).json;
  const list = await read();
  const owners = list['owners'] as { owner: string; limits: Record<string, Json> }[];
  const names = owners.map(({ owner }) => owner);
  expect(names).toEqual(names.toSorted());
  expect(names).toEqual(expect.arrayContaining(['boss', 'carl', 'zoe']));
  expect(list).toMatchObject({ applied: true, total: names.length });
  expect(owners.find(({ owner }) => owner === 'carl')!.limits).toMatchObject({
    requests_per_minute: { used: 1 },
    unfinished_jobs: { used: 1 },
    images_per_day: { used: 1 },
    usd_per_month: { used: null },
  });
  await set('zoe', { unfinished_jobs: 3 }, fresh);
  const after = (await read())['owners'] as typeof owners;
  expect(after.find(({ owner }) => owner === 'zoe')!.limits['unfinished_jobs']).toMatchObject({ set: 3 });
});

describe('two at once', () => {
  test('that set others both have what they set', async () => {
    const one = anotherProcess(rig, { admit: askForKeys(rig.store) });
    for (let round = 1; round <= 20; round += 1) {
      const [a, b] = await Promise.all([
        set('both', { images_per_day: round }, one),
        set('both', { unfinished_jobs: round }, guarded),
      ]);
      expect([a.status, b.status]).toEqual([200, 200]);
      expect(await limitsOf('both')).toMatchObject({
        images_per_day: { set: round },
        unfinished_jobs: { set: round },
      });
    }
  });

  test('that set the same leave what one of them set, whole', async () => {
    const [low, high] = [
      { images_per_day: 1, unfinished_jobs: 1 },
      { images_per_day: 2, unfinished_jobs: 2 },
    ];
    await Promise.all([low, high, low, high].map((limits) => set('same', limits)));
    const { images_per_day: images, unfinished_jobs: unfinished } = await limitsOf('same');
    expect(images!['set']).toBe(unfinished!['set']);
  });

  test('requests that are counted meanwhile are all counted', async () => {
    const owner = { owner: 'busy' };
    const now = rig.store.now();
    const take = async () => {
      for (let known = owner; ; known = await rig.store.owners.read('busy'))
        if (await rig.store.owners.take(known, { now, perMinute: 1000 })) return;
    };
    await Promise.all(
      Array.from({ length: 10 }, (_, round) => [
        take(),
        set('busy', { requests_per_minute: 900 + round }),
      ]).flat(),
    );
    expect((await rig.store.owners.read('busy')).fullAt).toBe(now + 10 * 60);
  });
});

describe('refused, and nothing is written', () => {
  test.each([
    ['no limit', {}, 'missing_field', 'requests_per_minute'],
    ['a limit that there is not', { images_a_day: 1 }, 'unknown_field', 'images_a_day'],
    ['what is no number', { images_per_day: '5' }, 'invalid_field', 'images_per_day'],
    ['null', { usd_per_month: null }, 'invalid_field', 'usd_per_month'],
    ['a part of a job', { unfinished_jobs: 1.5 }, 'invalid_field', 'unfinished_jobs'],
    ['more than an item holds', { unfinished_jobs: 5001 }, 'invalid_field', 'unfinished_jobs'],
    ['no request at all', { requests_per_minute: 0 }, 'invalid_field', 'requests_per_minute'],
    ['less than nothing', { usd_per_month: -1 }, 'invalid_field', 'usd_per_month'],
    ['more than a number holds', { images_per_day: 2 ** 60 }, 'invalid_field', 'images_per_day'],
    ['a good one beside a bad one', { upload_mb: 5, images_per_day: -1 }, 'invalid_field', 'images_per_day'],
  ])('%s', async (_, json, code, field) => {
    expect(await set('refused', json)).toMatchObject({ status: 400, json: { code, details: { field } } });
    expect(await rig.store.owners.read('refused')).toEqual({ owner: 'refused' });
  });

  test.each(['a%20b', 'a'.repeat(65), '%23'])('the owner %s', async (owner) => {
    expect(await set(owner, { upload_mb: 1 })).toMatchObject({
      status: 400,
      json: { code: 'invalid_field', details: { field: 'owner' } },
    });
  });

  test('by a key without the scope admin, of its own owner too', async () => {
    const headers = { 'x-api-key': await createKey(rig, 'eve', ['generate', 'graphs', 'read']) };
    for (const address of ['GET /api/admin/limits', 'GET /api/admin/limits/eve'])
      expect(await call(guarded, address, { headers })).toMatchObject({
        status: 403,
        json: { code: 'forbidden' },
      });
    const asked = { json: { images_per_day: 'unlimited' }, headers };
    expect((await call(guarded, 'POST /api/admin/limits/eve', asked)).status).toBe(403);
    expect((await call(guarded, 'POST /api/admin/limits/eve', { json: {} })).status).toBe(401);
    expect(await rig.store.owners.read('eve')).toEqual({ owner: 'eve' });
  });
});

test('without keys they may be set, and it is said that nothing is limited', async () => {
  expect((await set('local', { images_per_day: 5 }, rig.app)).json).toMatchObject({
    limits: { images_per_day: { set: 5 } },
  });
  expect((await call(rig.app, 'GET /api/admin/limits')).json).toMatchObject({ applied: false });
  expect((await call(rig.app, 'POST /api/generate', { json: { prompt: 'x', images: 1 } })).status).not.toBe(
    429,
  );
});
