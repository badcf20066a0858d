// Priorities of jobs: a field of the guide's API and `front` of ComfyUI's wire, shown wherever a job is, and a place in the queue
// that is its owner's own.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { readWorkOrder } from '../../functions/core/names.ts';
import { payloadOf } from '../../functions/webhooks/payload.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { createKey, guardedWire } from './comfyui-wire/keys.ts';
import { anotherProcess, call, type Json } from './support.ts';
import { small } from './v2/support.ts';

let rig: Rig;
let clock = 0;
beforeEach(async () => {
  rig = await startRig({ forward: false });
  clock = 0;
});
afterEach(() => rig.close());

const post = (app: ApiApp, body: Json, headers: Record<string, string> = {}) =>
  call(app, 'POST /api/generate', { json: { prompt: 'a fox', ...body }, headers });

describe('the field', () => {
  test('is shown by the status, the queue and the webhook of its job; absent it is normal', async () => {
    const jobId = String((await post(rig.app, { priority: 'high' })).json['job_id']);
    expect(await rig.status(jobId)).toMatchObject({ priority: 'high' });
    const queue = await call<{ jobs: Record<string, Json> }>(rig.app, 'GET /api/queue');
    expect(queue.json.jobs[jobId]).toMatchObject({ priority: 'high' });
    await call(rig.app, `DELETE /api/queue/${jobId}`);
    const job = (await rig.store.jobs.read(jobId))!;
    expect(JSON.parse(payloadOf(job))).toMatchObject({ data: { priority: 'high' } });
    for (const priority of [undefined, null, 'normal'])
      expect(await rig.status(String((await post(rig.app, { priority })).json['job_id']))).toMatchObject({
        priority: 'normal',
      });
  });

  test.each(['urgent', 'High', '', 1, true, ['high'], { high: true }])(
    '%j is refused by its name',
    async (priority) => {
      const { status, json } = await post(rig.app, { priority });
      expect({ status, json }).toMatchObject({
        status: 400,
        json: { code: 'invalid_field', details: { field: 'priority' } },
      });
      expect(json['error']).toContain('low, normal, high');
    },
  );

  test('is part of what an idempotency key stands for', async () => {
    const key = { 'idempotency-key': 'urgent' };
    const first = await post(rig.app, { priority: 'high' }, key);
    expect((await post(rig.app, { priority: 'high' }, key)).json).toEqual(first.json);
    expect(await post(rig.app, { priority: 'low' }, key)).toMatchObject({ status: 422 });
  });
});

/** In their places. */
const places = async (app: ApiApp, ids: string[], key?: string) => {
  const found: unknown[] = [];
  for (const id of ids) {
    const { json } = await call(app, `GET /api/status/${id}`, {
      headers: key === undefined ? {} : { 'x-api-key': key },
    });
    found.push(json['queue_position']);
  }
  return found;
};

test('without keys: high before normal before low, each in order of acceptance, with no write more', async () => {
  const ids: string[] = [];
  for (const priority of ['low', 'normal', 'high', 'low', 'normal', 'high'])
    ids.push(String((await post(rig.app, { priority })).json['job_id']));
  expect(await places(rig.app, ids)).toEqual([5, 3, 1, 6, 4, 2]);
});

describe('with keys', () => {
  let app: ApiApp;
  const keys: Record<string, string> = {};
  const now = () => rig.store.now() + clock;

  beforeEach(async () => {
    app = anotherProcess(rig, { now, admit: askForKeys({ keys: rig.store.keys, now }) });
    for (const owner of ['anna', 'bob']) keys[owner] = await createKey(rig, owner, ['generate', 'read']);
  });

  const generate = async (owner: string, priority?: string, at = app) =>
    String((await post(at, { priority }, { 'x-api-key': keys[owner]! })).json['job_id']);
  const turnOf = async (id: string) =>
    readWorkOrder((await rig.store.jobs.readState(id))!.workOrder).startTag;

  test('a high one takes the first of its owner’s turns, and no place of another’s; all places are right at once', async () => {
    const [a1, b1, a2, b2] = [
      await generate('anna'),
      await generate('bob'),
      await generate('anna'),
      await generate('bob'),
    ];
    const before = { anna: [await turnOf(a1), await turnOf(a2)], bob: [await turnOf(b1), await turnOf(b2)] };
    expect(await places(app, [a1, a2], keys['anna'])).toEqual([1, 3]);
    const high = await generate('anna', 'high');
    expect(await turnOf(high)).toBe(before.anna[0]);
    expect([await turnOf(b1), await turnOf(b2)]).toEqual(before.bob);
    for (let look = 0; look < 2; look += 1) {
      expect(await places(app, [high, a1, a2], keys['anna'])).toEqual([1, 5, 3]);
      expect(await places(app, [b1, b2], keys['bob'])).toEqual([2, 4]);
      // The second look reads the queue anew.
      clock += 2000;
    }
  });

  test('two processes that accept at once for one owner give each high one a turn of a lower one', async () => {
    const normal: string[] = [];
    for (let n = 0; n < 6; n += 1) normal.push(await generate('anna'));
    const given = await Promise.all(normal.map(turnOf));
    const other = anotherProcess(rig, { now, admit: askForKeys({ keys: rig.store.keys, now }) });
    const high = await Promise.all([1, 2, 3, 4].map((n) => generate('anna', 'high', n % 2 ? app : other)));
    expect((await Promise.all(high.map(turnOf))).toSorted((a, b) => a - b)).toEqual(given.slice(0, 4));
    const all = await Promise.all([...high, ...normal].map(turnOf));
    expect(new Set(all).size).toBe(10);
    for (const process of [app, other]) {
      clock += 2000;
      expect(await places(process, normal.slice(4), keys['anna'])).toEqual([5, 6]);
    }
  });

  test('of many high ones at once none is left behind a normal one', async () => {
    for (let n = 0; n < 30; n += 1) await generate('anna');
    const ids = await Promise.all(Array.from({ length: 24 }, () => generate('anna', 'high')));
    clock += 2000;
    for (const place of await places(app, ids, keys['anna'])) expect(place).toBeLessThanOrEqual(24);
  });

  test('one that comes many times at once takes the turn of one other', async () => {
    const normal: string[] = [];
    for (let n = 0; n < 12; n += 1) normal.push(await generate('anna'));
    const headers = { 'x-api-key': keys['anna']!, 'idempotency-key': 'one' };
    const sent = await Promise.all(
      Array.from({ length: 10 }, () => post(app, { priority: 'high' }, headers)),
    );
    expect(new Set(sent.map(({ json }) => json['job_id'])).size).toBe(1);
    clock += 2000;
    const found = (await places(app, normal, keys['anna'])) as number[];
    const moved = found.filter((place, index) => place !== index + 2 && place !== index + 1);
    expect(moved).toEqual([13]);
  });

  test('a normal one goes before the low ones of its owner that came earlier, and a low one before none', async () => {
    const low = [await generate('anna', 'low'), await generate('anna', 'low')];
    const bobs = await generate('bob');
    const normal = await generate('anna');
    const last = await generate('anna', 'low');
    expect(await places(app, [normal, ...low, last], keys['anna'])).toEqual([1, 4, 3, 5]);
    expect(await places(app, [bobs], keys['bob'])).toEqual([2]);
  });

  test('what is cancelled or cleared leaves the others in their order', async () => {
    const normal = [await generate('anna'), await generate('anna'), await generate('anna')];
    const high = await generate('anna', 'high');
    expect(
      await call(app, `DELETE /api/queue/${high}`, { headers: { 'x-api-key': keys['anna']! } }),
    ).toMatchObject({ status: 200 });
    clock += 2000;
    expect(await places(app, normal, keys['anna'])).toEqual([3, 1, 2]);
    await generate('anna', 'high');
    expect(
      (await call(app, 'POST /api/queue/clear', { headers: { 'x-api-key': keys['anna']! } })).json,
    ).toMatchObject({ cleared: 4, remaining: 0 });
  });
});

describe('on ComfyUI’s wire', () => {
  test('front puts a prompt before its owner’s others; the queue lists them as they will run', async () => {
    const wire = guardedWire(rig);
    const headers = { 'x-api-key': await createKey(rig, 'anna', ['graphs', 'read']) };
    const send = async (text: string, more: Json = {}) =>
      String(
        (await call(wire, 'POST /prompt', { json: { prompt: small(text), ...more }, headers })).json[
          'prompt_id'
        ],
      );
    const [first, second] = [await send('1'), await send('2')];
    const front = await send('3', { front: true });
    const { json } = await call<{ queue_pending: unknown[][] }>(wire, 'GET /queue', { headers });
    expect(json.queue_pending.map(([, id]) => id)).toEqual([front, second, first]);
    expect((await rig.store.jobs.readRequest(front))!.priority).toBe('high');
  });
});
