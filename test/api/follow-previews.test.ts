// Previews in a job's event stream: asked for, bounded, and of no cost to anyone where nobody asks.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { ANSWERS } from '../../functions/api/answers/schemas.ts';
import type { ApiApp, ApiDeps } from '../../functions/api/deps.ts';
import { drawKey } from '../../functions/core/access.ts';
import { cancel, claim, release, start } from '../../functions/core/job.ts';
import { createLive, type Live } from '../../functions/core/live.ts';
import { PREVIEW_BYTES, PREVIEW_FRESH } from '../../functions/core/limits.ts';
import { keys } from '../../functions/core/names.ts';
import { storePreview } from '../../functions/images/stored-preview.ts';
import { listen, listenerOf } from '../../functions/runtime/listen.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type EventReader, eventsOf, type ServerEvent } from './event-reader.ts';
import { anotherProcess, call, eventually, putJob } from './support.ts';

let rig: Rig;
let live: Live;
let app: ApiApp;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  live = createLive();
  app = withLive();
});
afterAll(() => rig.close());

const withLive = (parts: Partial<ApiDeps> = {}) => anotherProcess(rig, { live, ...parts });

async function follow(jobId: string, query = '?previews=1', headers = {}, of = app): Promise<EventReader> {
  return eventsOf(await of.request(`/api/status/${jobId}/events${query}`, { headers }));
}

const HOST = 'host';
const fence = { attempt: 1, host: HOST };
const stateOf = async (jobId: string) => (await rig.store.jobs.readState(jobId))!;
const begin = async (jobId: string) => {
  await rig.store.jobs.write(jobId, claim(await stateOf(jobId), HOST, rig.store.now(), true));
  await rig.store.jobs.write(jobId, start(await stateOf(jobId), fence, rig.store.now()));
};
const end = (jobId: string) => rig.store.jobs.write(jobId, cancel(rig.store.now()));

const show = (jobId: string, image: Uint8Array | string) =>
  live.show(jobId, {
    node: '8',
    type: 'image/jpeg',
    image: typeof image === 'string' ? Buffer.from(image) : image,
    step: { current: 2, total: 8 },
  });

async function running(): Promise<string> {
  const jobId = await putJob(rig);
  await begin(jobId);
  return jobId;
}

const shownBy = (event: ServerEvent | undefined) =>
  Buffer.from(String(event?.data?.['image']), 'base64').toString();

describe('of a job that a host in this process runs', () => {
  let own: Rig;
  beforeAll(async () => {
    own = await startRig();
    await own.addHost({ comfyui: { previews: true, stepMs: 30 } });
  });
  afterAll(() => own.close());

  test('they come between the statuses, at most two a second, with the step that they show', async () => {
    const jobId = await own.generate({ steps: 50 });
    const from = performance.now();
    const events = await (await follow(jobId, '?previews=1', {}, own.app)).rest();
    const seconds = (performance.now() - from) / 1000;
    const previews = events.filter(({ event }) => event === 'preview');
    expect(previews.length).toBeGreaterThanOrEqual(2);
    expect(previews.length).toBeLessThanOrEqual(Math.ceil(seconds * 2) + 1);
    for (const { id, data } of previews) {
      expect(id).toBeUndefined();
      const { image, current_step: step, total_steps: steps } = ANSWERS.JobPreview.parse(data);
      expect(Buffer.from(image, 'base64').subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
      expect([step! > 0 && step! <= 50, steps]).toEqual([true, 50]);
    }
    const steps = previews.map(({ data }) => Number(data?.['current_step']));
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ event: 'status', data: { status: 'completed' } });
  });

  test.each(['', '?previews=0'])('none are sent to who does not ask: %s', async (query) => {
    const jobId = await own.generate({ steps: 40 });
    const events = await (await follow(jobId, query, {}, own.app)).rest();
    expect(new Set(events.flatMap(({ event }) => event ?? []))).toEqual(new Set(['status']));
  });
});

test.each(['true', 'yes', '', '2'])('previews=%s is refused with what it must be', async (word) => {
  const jobId = await putJob(rig);
  expect(await call(app, `GET /api/status/${jobId}/events?previews=${word}`)).toMatchObject({
    status: 400,
    json: { code: 'invalid_field', details: { field: 'previews' } },
  });
  await end(jobId);
});

describe('of a job that a host in another process runs', () => {
  const PREVIEW = /\/derived\/.*preview\.json$/;
  let own: Rig;
  let other: ApiApp;
  beforeAll(async () => {
    own = await startRig();
    await own.addHost({ comfyui: { previews: true, stepMs: 60 }, live: undefined });
    other = anotherProcess(own, {});
  });
  afterAll(() => own.close());

  const storedOf = async (jobId: string) =>
    (await own.images.page(keys.derivedOfJob(jobId), 10)).items.map(({ key }) => `/${key}`);

  test('they come by the bucket while it is looked at, and go with the job', async () => {
    const jobId = await own.generate({ steps: 50 });
    const events = await (await follow(jobId, '?previews=1', {}, other)).rest();
    const previews = events.filter(({ event }) => event === 'preview');
    expect(previews.length).toBeGreaterThanOrEqual(1);
    for (const { data } of previews) {
      const { image, total_steps: steps } = ANSWERS.JobPreview.parse(data);
      expect(Buffer.from(image, 'base64').subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
      expect(steps).toBe(50);
    }
    expect(events.at(-1)).toMatchObject({ event: 'status', data: { status: 'completed' } });
    expect(await storedOf(jobId)).toEqual([expect.stringMatching(PREVIEW)]);
    expect(await call(other, `DELETE /api/history/${jobId}`)).toMatchObject({ status: 200 });
    expect(await storedOf(jobId)).toEqual([]);
  }, 20_000);

  test('none is stored, and nothing written, for who does not ask', async () => {
    const jobId = await own.generate({ steps: 30 });
    await (await follow(jobId, '', {}, other)).rest();
    expect(await storedOf(jobId)).toEqual([]);
    expect(await own.store.jobs.readState(jobId)).not.toHaveProperty('previewsUntil');
  }, 20_000);

  test('what an attempt before has left is not shown', async () => {
    const jobId = await running();
    const preview = { node: '8', type: 'image/jpeg' as const, image: Buffer.from('old'), step: undefined };
    await storePreview(rig.images, jobId, { at: rig.store.now() - PREVIEW_FRESH, preview });
    const reader = await follow(jobId, '?previews=1', {}, anotherProcess(rig, {}));
    await reader.nextTold();
    await expect.poll(async () => (await stateOf(jobId)).previewsUntil).toBeGreaterThan(rig.store.now());
    await storePreview(rig.images, jobId, {
      at: rig.store.now(),
      preview: { ...preview, image: Buffer.from('new') },
    });
    expect(shownBy(await reader.nextTold())).toBe('new');
    await end(jobId);
    expect((await reader.nextTold())?.data).toMatchObject({ status: 'cancelled' });
  }, 20_000);

  test('a bucket that fails costs the previews, not the stream', async () => {
    const jobId = await running();
    const images = { ...rig.images, get: () => Promise.reject(new Error('no bucket')) };
    const reader = await follow(jobId, '?previews=1', {}, anotherProcess(rig, { images }));
    await reader.nextTold();
    await end(jobId);
    expect((await reader.nextTold())?.data).toMatchObject({ status: 'cancelled' });
    expect(await reader.rest()).toEqual([]);
  });
});

describe('who listens', () => {
  test('is nobody before one asks, and again when the job has ended or the client is gone', async () => {
    const [gone, ended] = [await running(), await running()];
    for (const jobId of [gone, ended]) expect(live.isHeard(jobId)).toBe(false);
    const reader = await follow(gone);
    const other = await follow(ended);
    await Promise.all([reader.nextTold(), other.nextTold()]);
    for (const jobId of [gone, ended]) expect(live.isHeard(jobId)).toBe(true);
    await reader.cancel();
    expect(live.isHeard(gone)).toBe(false);
    await end(ended);
    await other.rest();
    expect(live.isHeard(ended)).toBe(false);
    await end(gone);
  });

  test('is nobody without the parameter, of an ended job, or for HEAD', async () => {
    const jobId = await running();
    const reader = await follow(jobId, '');
    await reader.nextTold();
    await app.request(`/api/status/${jobId}/events?previews=1`, { method: 'HEAD' });
    expect(live.isHeard(jobId)).toBe(false);
    await end(jobId);
    await reader.rest();
    await (await follow(jobId)).rest();
    expect(live.isHeard(jobId)).toBe(false);
  });
});

describe('a reader that lags', () => {
  test('gets the newest when it reads again, however many came', async () => {
    const jobId = await running();
    const reader = await follow(jobId);
    await reader.nextTold();
    // One is asked for ahead, as of every stream.
    for (let n = 0; n < 10_000; n += 1) show(jobId, `preview ${n}`);
    const next = await reader.nextTold();
    expect(next?.event).toBe('preview');
    show(jobId, 'the last');
    await end(jobId);
    const rest = await reader.rest();
    const previews = rest.filter(({ event }) => event === 'preview');
    expect(previews.length).toBeLessThanOrEqual(2);
    expect(rest.at(-1)).toMatchObject({ event: 'status', data: { status: 'cancelled' } });
  });

  test('that reads nothing at all from its socket costs a bounded memory', async () => {
    const server = await listen(listenerOf(app), '127.0.0.1', 0);
    const jobId = await running();
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /api/status/${jobId}/events?previews=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    await eventually('the listener', () => Promise.resolve(live.isHeard(jobId)));
    socket.pause();
    let shown = 0;
    // Half a gigabyte; what fits into the sockets of the kernel is taken.
    for (; shown < 1500; shown += 1) {
      show(jobId, numbered(shown));
      await new Promise((resolve) => setImmediate(resolve));
    }
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    socket.resume();
    await end(jobId);
    await eventually('the end', () => Promise.resolve(received.includes('"cancelled"')));
    socket.destroy();
    await server.close();
    const count = received.split('event: preview').length - 1;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(shown / 10);
  });

  /** As large as one may be; each another. */
  function numbered(n: number): Uint8Array {
    const image = new Uint8Array(PREVIEW_BYTES);
    new DataView(image.buffer).setUint32(0, n);
    return image;
  }

  test('one that is too large is left out', async () => {
    const jobId = await running();
    const reader = await follow(jobId);
    await reader.nextTold();
    show(jobId, new Uint8Array(PREVIEW_BYTES + 1));
    show(jobId, 'small enough');
    expect(shownBy(await reader.nextTold())).toBe('small enough');
    await end(jobId);
    expect((await reader.rest()).map(({ event }) => event)).toEqual(['status']);
  });
});

describe('what they belong to', () => {
  test('one of an attempt that was given back is not shown as the next one’s', async () => {
    const jobId = await putJob(rig);
    const reader = await follow(jobId);
    await reader.nextTold();
    await rig.store.jobs.write(jobId, claim(await stateOf(jobId), HOST, rig.store.now(), true));
    await reader.nextTold();
    show(jobId, 'of the first');
    const state = await stateOf(jobId);
    await rig.store.jobs.write(jobId, release(state, fence, rig.store.now(), { spaced: false }));
    expect((await reader.nextTold())?.data).toMatchObject({ status: 'queued' });
    await rig.store.jobs.write(jobId, claim(await stateOf(jobId), HOST, rig.store.now(), true));
    const again = { ...fence, attempt: 2 };
    await rig.store.jobs.write(jobId, start(await stateOf(jobId), again, rig.store.now()));
    for (let event = await reader.nextTold(); ; event = await reader.nextTold()) {
      expect(event?.event).toBe('status');
      if (event?.data?.['status'] === 'processing') break;
    }
    show(jobId, 'of the second');
    expect(shownBy(await reader.nextTold())).toBe('of the second');
    await end(jobId);
    await reader.rest();
  });

  test('a stream that is taken up again goes on after the last status, previews or not', async () => {
    const jobId = await running();
    const first = await follow(jobId);
    const { id } = (await first.nextTold())!;
    show(jobId, 'one');
    expect((await first.nextTold())?.event).toBe('preview');
    await first.cancel();
    const second = await follow(jobId, '?previews=1', { 'last-event-id': id! });
    expect((await second.next())?.comment).toBeDefined();
    show(jobId, 'two');
    expect(shownBy(await second.nextTold())).toBe('two');
    await end(jobId);
    expect((await second.nextTold())?.data).toMatchObject({ status: 'cancelled' });
  });
});

describe('where keys are asked for', () => {
  let clock = 0;
  let secured: ApiApp;
  beforeAll(() => {
    const now = () => rig.store.now() + clock;
    secured = withLive({ now, admit: askForKeys({ keys: rig.store.keys, now }) });
  });

  async function keyOf(owner: string) {
    const { key, keyId, hash } = drawKey(randomBytes);
    const item = { keyId, hash, name: owner, owner, scopes: ['read' as const], createdAt: rig.store.now() };
    await rig.store.keys.add(item);
    return { keyId, headers: { 'x-api-key': key } };
  }

  test('another’s previews are not there, and nobody listens', async () => {
    const jobId = await putJob(rig, { owner: 'alice' });
    const { headers } = await keyOf('mallory');
    const answer = await call(secured, `GET /api/status/${jobId}/events?previews=1`, { headers });
    expect(answer).toMatchObject({ status: 404, json: { code: 'job_not_found' } });
    expect(live.isHeard(jobId)).toBe(false);
  });

  test('none is shown to a key that was revoked', async () => {
    const jobId = await putJob(rig, { owner: 'alice' });
    await begin(jobId);
    const { keyId, headers } = await keyOf('alice');
    const reader = await follow(jobId, '?previews=1', headers, secured);
    await reader.nextTold();
    show(jobId, 'seen');
    expect(shownBy(await reader.nextTold())).toBe('seen');
    await rig.store.keys.revoke(keyId, rig.store.now());
    // What a process remembers of a key it forgets in this time.
    clock += 31_000;
    show(jobId, 'not seen');
    expect((await reader.rest()).filter(({ event }) => event === 'preview')).toEqual([]);
    expect(live.isHeard(jobId)).toBe(false);
    await end(jobId);
  });
});
