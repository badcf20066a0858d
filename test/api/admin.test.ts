// What an operator sees: hosts and what they hold, who waits, the last hours, failures with their jobs; and who may see it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ApiApp } from '../../functions/api/deps.ts';
import { askForKeys } from '../../functions/api/http/access.ts';
import { fail } from '../../functions/core/job.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { createKey } from './comfyui-wire/keys.ts';
import { anotherProcess, call, eventually, type Json, putJobs } from './support.ts';

let rig: Rig;
let guarded: ApiApp;
let admin: Record<string, string>;
beforeAll(async () => {
  rig = await startRig({ timings: { ...TIMINGS, ledgerPutEvery: 20 } });
  guarded = anotherProcess(rig, { admit: askForKeys(rig.store) });
  admin = { authorization: `Bearer ${await createKey(rig, 'boss', ['admin'])}` };
});
afterAll(() => rig.close());

const ADDRESSES = [
  '/api/admin/hosts',
  '/api/admin/queue',
  '/api/admin/hours',
  '/api/admin/failures',
  '/metrics',
];
const get = async (address: string) => (await call(rig.app, `GET ${address}`)).json;

describe('who may see it', () => {
  test.each(ADDRESSES)('%s wants a key with the scope admin', async (address) => {
    const reader = { authorization: `Bearer ${await createKey(rig, 'ann', ['generate', 'graphs', 'read'])}` };
    const statuses = await Promise.all(
      [{}, reader, admin].map(async (headers) => (await guarded.request(address, { headers })).status),
    );
    expect(statuses).toEqual([401, 403, 200]);
  });

  test.each(ADDRESSES)(
    '%s is open where no keys are asked for, and not by a foreign name',
    async (address) => {
      expect((await rig.app.request(address)).status).toBe(200);
      expect((await rig.app.request(`http://rebound.example${address}`)).status).toBe(403);
    },
  );

  test('another method or address is refused as everywhere', async () => {
    expect(await call(rig.app, 'POST /api/admin/hosts')).toMatchObject({
      status: 405,
      json: { code: 'method_not_allowed' },
    });
    expect(await call(rig.app, 'GET /api/admin/nothing')).toMatchObject({
      status: 404,
      json: { code: 'route_not_found' },
    });
    expect(await call(rig.app, 'GET /api/admin/hours?hours=25')).toMatchObject({
      status: 400,
      json: { code: 'invalid_field' },
    });
  });
});

test('owners that wait stand with their counts, the one with most first', async () => {
  const now = rig.store.now();
  const old = { status: 'queued', createdAt: now - 90_000 } as const;
  await putJobs(rig, [
    { ...old, owner: 'bob' },
    { ...old, owner: 'ann', createdAt: now - 30_000 },
    { ...old, owner: 'ann', createdAt: now - 20_000 },
  ]);
  const queue = await eventually('the count', async () => {
    const read = await get('/api/admin/queue');
    return read['waiting'] === 3 && read;
  });
  expect(queue).toMatchObject({
    held: 0,
    counted_all: true,
    owners: [
      { owner: 'ann', waiting: 2, held: 0 },
      { owner: 'bob', waiting: 1, held: 0 },
    ],
  });
  const [ann, bob] = queue['owners'] as { oldest_wait_seconds: number }[];
  expect(ann!.oldest_wait_seconds).toBeGreaterThanOrEqual(30);
  expect(bob!.oldest_wait_seconds).toBeGreaterThanOrEqual(90);
  expect(queue['oldest_wait_seconds']).toBe(bob!.oldest_wait_seconds);
  await call(rig.app, 'POST /api/queue/clear');
});

test('a host shows its machine, and the job that it runs', async () => {
  const host = await rig.addHost({ comfyui: { stepMs: 200 }, zone: 'us-east-1b' });
  const jobId = await rig.generate({ steps: 50 });
  const found = await eventually('the job on its host', async () => {
    const { hosts } = (await get('/api/admin/hosts')) as { hosts: Json[] };
    const running = hosts[0]?.['running'] as Json[] | undefined;
    return running?.some((one) => one['job_id'] === jobId && one['status'] === 'processing') && hosts[0];
  });
  expect(found).toMatchObject({
    host_id: host.running.hostId,
    machine_id: host.machineId,
    zone: 'us-east-1b',
    state: 'ready',
    comfyui: 'connected',
    devices: [{ vram: expect.any(Number) as number, vram_free: expect.any(Number) as number }],
    running: [{ job_id: jobId, owner: 'local' }],
  });
  await call(rig.app, `DELETE /api/queue/${jobId}`);
});

const last = async () => ((await get('/api/admin/hours?hours=1'))['intervals'] as Json[]).slice(-2);

test('what has completed and failed is in the last interval, once, with how long it waited', async () => {
  const jobId = await rig.generate();
  await rig.until(jobId, ['completed', 'failed']);
  const completed = await eventually('the ledger', async () =>
    (await last()).find((one) => Number(one['completed']) + Number(one['failed']) > 0),
  );
  expect(completed).toMatchObject({ wait_seconds: { p50: expect.any(Number) as number } });
  const intervals = (await get('/api/admin/hours?hours=24'))['intervals'] as Json[];
  expect(intervals).toHaveLength(24 * 12 + 1);
});

test('a failure stands under its code with its job, until that is removed', async () => {
  const [jobId] = await putJobs(rig, [{ owner: 'ann', status: 'failed', state: { errorCode: 'no_output' } }]);
  const state = (await rig.store.jobs.readState(jobId!))!;
  const fence = { attempt: 1, host: 'h' };
  const failure = { code: 'no_output', message: 'There is nothing' } as const;
  const ledger = rig.store.ledgers.of('a host');
  ledger.ended({ ...state, ...fail(state, fence, failure, rig.store.now()).set });
  await ledger.write();
  const failed = await eventually('the failure', async () =>
    ((await get('/api/admin/failures'))['codes'] as Json[]).find(({ code }) => code === 'no_output'),
  );
  expect(failed).toMatchObject({ count: 1, jobs: [{ job_id: jobId, owner: 'ann' }] });
});

describe('keys', () => {
  const keysOf = (headers: Record<string, string>) => call(guarded, 'GET /api/admin/keys', { headers });

  test('one that is made works at once, is shown once and ends when it is revoked', async () => {
    const asked = { name: 'carl', scopes: ['read', 'generate'], days: 1 };
    const { status, json, headers } = await call(guarded, 'POST /api/admin/keys', {
      json: asked,
      headers: admin,
    });
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(json).toMatchObject({ owner: 'carl', scopes: ['generate', 'read'], valid: true });
    const key = String(json['key']);
    const another = anotherProcess(rig, { admit: askForKeys(rig.store) });
    const uses = async (app: ApiApp) =>
      (await app.request('/api/queue', { headers: { 'x-api-key': key } })).status;
    expect(await uses(another)).toBe(200);
    expect(JSON.stringify((await keysOf(admin)).json)).not.toContain(key.split('_')[2]);

    const revoked = await call(guarded, `DELETE /api/admin/keys/${String(json['key_id'])}`, {
      headers: admin,
    });
    expect(revoked).toMatchObject({ status: 200, json: { valid: false } });
    expect(await uses(anotherProcess(rig, { admit: askForKeys(rig.store) }))).toBe(401);
  });

  test.each([
    ['no name', {}, 'missing_field'],
    ['a name that fits nowhere', { name: 'a b' }, 'invalid_field'],
    ['a scope that there is not', { name: 'a', scopes: ['root'] }, 'invalid_field'],
    ['no scope', { name: 'a', scopes: [] }, 'invalid_field'],
    ['no time', { name: 'a', days: 0 }, 'invalid_field'],
    ['what nobody knows', { name: 'a', limit: 1 }, 'unknown_field'],
  ])('with %s is refused', async (_, json, code) => {
    const before = (await rig.store.keys.list()).length;
    expect(await call(guarded, 'POST /api/admin/keys', { json, headers: admin })).toMatchObject({
      status: 400,
      json: { code },
    });
    expect(await rig.store.keys.list()).toHaveLength(before);
  });

  test('are out of reach of a key without the scope admin', async () => {
    const headers = { 'x-api-key': await createKey(rig, 'ann', ['generate', 'graphs', 'read']) };
    const json = { name: 'ann', scopes: ['admin'] };
    expect((await keysOf(headers)).status).toBe(403);
    expect((await call(guarded, 'POST /api/admin/keys', { json, headers })).status).toBe(403);
    expect((await call(guarded, 'DELETE /api/admin/keys/0123456789abcdef', { headers })).status).toBe(403);
  });

  test('usage of an owner has each day to today', async () => {
    const { json } = await call(guarded, 'GET /api/admin/usage?owner=carl&days=3', { headers: admin });
    const today = new Date(rig.store.now()).toISOString().slice(0, 10);
    expect((json['days'] as Json[]).at(-1)).toMatchObject({ day: today, images: 0, usd: 0 });
    expect(json['days']).toHaveLength(3);
  });
});
