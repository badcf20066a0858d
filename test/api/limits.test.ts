// What an owner with a key may use, enforced before anything is stored.

import { randomBytes } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { THUMBNAIL } from '../../functions/api/admission/derived.ts';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp, ApiDeps } from '../../functions/api/deps.ts';
import { reconcileUsage } from '../../functions/controller/reconcile-usage.ts';
import { StorageFull } from '../../functions/core/disk-full.ts';
import { drawKey } from '../../functions/core/access.ts';
import { cancel } from '../../functions/core/job.ts';
import { keys } from '../../functions/core/names.ts';
import { type OwnerLimits, COMMITTED_AFTER } from '../../functions/core/quota.ts';
import { type Rig, startRig } from '../support/rig.ts';
import {
  anotherProcess,
  type Answer,
  call,
  countStored,
  diesBeforeTheState,
  putJob,
  SETTINGS,
} from './support.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 23, 12);

let rig: Rig;
let clock = NOON;
const now = () => clock;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

function appWith(ownerLimits: OwnerLimits, parts: Partial<ApiDeps> = {}): ApiApp {
  return anotherProcess(rig, {
    now,
    admit: askForKeys({ keys: rig.store.keys, now }),
    settings: { ...SETTINGS, ownerLimits },
    ...parts,
  });
}

async function keyOf(owner: string): Promise<string> {
  const { key, keyId, hash } = drawKey(randomBytes);
  await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes: ['generate', 'read'], createdAt: 0 });
  return key;
}

/** A caller with a key of its own, as an owner of its own. */
async function caller(app: ApiApp, owner = `owner-${randomBytes(4).toString('hex')}`) {
  const key = await keyOf(owner);
  return {
    owner,
    ask: (route: string, headers: Record<string, string> = {}) =>
      call(app, route, { headers: { 'x-api-key': key, ...headers } }),
    generate: (json: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
      call(app, 'POST /api/generate', {
        json: { prompt: 'a fox', ...json },
        headers: { 'x-api-key': key, ...headers },
      }),
    upload: () => {
      const body = new FormData();
      const png = PNG.sync.write(new PNG({ width: 64, height: 64 }));
      body.set('image', new File([new Uint8Array(png)], 'a.png', { type: 'image/png' }));
      return call(app, 'POST /api/upload/image', { body, headers: { 'x-api-key': key } });
    },
  };
}

const codes = (answers: Answer[]) => answers.map(({ status, json }) => json['code'] ?? status);
const idOf = ({ json }: Answer) => String(json['job_id']);
const settle = () => reconcileUsage({ jobs: rig.store.jobs, usage: rig.store.usage, log: rig.log, now });

describe('requests a minute', () => {
  test('over the limit: 429, the moment of the next, and nothing stored', async () => {
    const { owner, generate, ask } = await caller(appWith({ perMinute: 3 }));
    const first = await generate();
    expect(first.headers.get('ratelimit-policy')).toBe('"minute";q=3;w=60');
    expect(first.headers.get('ratelimit')).toBe('"minute";r=2;t=20');
    await generate();
    await generate();
    const before = await countStored(rig);
    const refused = await generate();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('20');
    expect(refused.headers.get('ratelimit')).toBe('"minute";r=0;t=60');
    expect(refused.json).toEqual({
      error: `${owner} may send 3 requests a minute and has sent them; the next one is free in 20 s, another every 20 s`,
      code: 'too_many_requests',
      details: { limit: 'minute', allowed: 3, remaining: 0 },
    });
    expect(await countStored(rig)).toEqual(before);
    // A known job's status is never refused.
    expect((await ask(`GET /api/status/${idOf(first)}`)).status).toBe(200);
    clock += 20 * SECOND;
    expect(codes([await generate(), await generate()])).toEqual([202, 'too_many_requests']);
  });

  test('reads have a bucket of their own: many more, and never the one of jobs', async () => {
    const app = appWith({ perMinute: 3, readsPerMinute: 6 });
    const { owner, generate, ask } = await caller(app);
    const other = await caller(app);
    const reads = () =>
      Promise.all([ask('GET /api/history'), ask('GET /api/queue'), ask('GET /api/outputs')]);
    expect(codes([...(await reads()), ...(await reads())])).toEqual(Array(6).fill(200));
    const refused = await ask('GET /api/queue');
    expect(refused.json).toMatchObject({
      code: 'too_many_requests',
      details: { limit: 'reads', allowed: 6 },
    });
    expect(refused.json['error']).toMatch(`${owner} may send 6 reads a minute`);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(codes([await generate(), await other.ask('GET /api/queue')])).toEqual([202, 200]);
    // What removes and cancels has no other limit.
    expect(codes([await ask('POST /api/queue/clear'), await ask('DELETE /api/queue/x')])).toEqual(
      Array(2).fill('too_many_requests'),
    );
    clock += 10 * SECOND;
    expect(codes([await ask('GET /api/queue'), await ask('GET /api/queue')])).toEqual([
      200,
      'too_many_requests',
    ]);
  });

  test('a thumbnail that is there is a tenth of a read, one that is made a whole one more', async () => {
    const { owner, ask } = await caller(appWith({ readsPerMinute: 6 }));
    const [there, missing] = await Promise.all(
      [1, 2].map(async () => {
        const jobId = await putJob(rig, { owner, status: 'completed', images: 1 });
        const filename = (await rig.store.jobs.readState(jobId))!.outputs![0]!.filename;
        return { jobId, filename, route: `GET /api/image/${filename}/thumbnail` };
      }),
    );
    const { jobId, filename } = there!;
    const made = keys.derived(jobId, 1, filename, THUMBNAIL.made);
    await rig.images.put(made, Buffer.from('{}'), { contentType: 'image/webp' });
    const statuses = async (route: string, times: number) => {
      const found: number[] = [];
      for (let time = 0; time < times; time += 1) found.push((await ask(route)).status);
      return found;
    };
    expect(await statuses(there!.route, 51)).toEqual([...Array<number>(51).fill(200)]);
    // Less than a whole one is left.
    expect(await statuses(there!.route, 3)).toEqual([429, 429, 429]);
    clock += 60 * SECOND;
    // The bucket has lost its image: it is asked for, and cannot be made.
    expect(await statuses(missing!.route, 8)).toEqual([404, 404, 404, 404, 404, 429, 429, 429]);
  });

  test('four polls of RunPod’s clients are one read', async () => {
    const { owner, ask } = await caller(appWith({ readsPerMinute: 2 }));
    const id = await putJob(rig, { owner, status: 'completed' });
    const polls: Answer[] = [];
    for (const what of ['status', 'status-sync', 'stream', 'status', 'status', 'status'])
      polls.push(await ask(`GET /v2/comfyui/${what}/${id}`));
    // Less than a whole one is left.
    expect(codes(polls)).toEqual([200, 200, 200, 200, 200, 'too_many_requests']);
  });

  test('an upload takes one too, and so does every other key of the owner', async () => {
    const app = appWith({ perMinute: 2 });
    const { owner, upload, generate } = await caller(app);
    const other = await caller(app, owner);
    expect(codes([await upload(), await other.generate(), await upload(), await generate()])).toEqual([
      200,
      202,
      'too_many_requests',
      'too_many_requests',
    ]);
  });

  test('many at once, of two processes, are let in as often as there are tokens', async () => {
    const { owner, generate } = await caller(appWith({ perMinute: 20 }));
    const other = await caller(appWith({ perMinute: 20 }), owner);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? generate() : other.generate())),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(20);
    expect(new Set(codes(answers))).toEqual(new Set([202, 'too_many_requests']));
    // What was reserved for those that were refused is given back.
    expect(await rig.store.usage.read(owner, '2026-11-23')).toMatchObject({ uncommitted: 20, taken: 20 });
  });

  test.each<[string, OwnerLimits, number]>([
    ['over the rate', { perMinute: 1 }, 0],
    // One look a second: two days' marks.
    ['over the day’s images', { imagesPerDay: 1 }, 4],
    ['with too many jobs', { maxWaiting: 1 }, 4],
  ])('who asks on and on %s costs the table next to nothing', async (_name, limits, most) => {
    let calls = 0;
    const { owners, usage } = rig.store;
    const counting = <T extends object>(table: T): T =>
      new Proxy(table, {
        get: (of, name) => {
          const method = Reflect.get(of, name) as (...args: unknown[]) => unknown;
          return (...args: unknown[]) => {
            calls += 1;
            return method.apply(of, args);
          };
        },
      });
    const app = appWith(limits, { owners: counting(owners), usage: counting(usage) });
    const { generate } = await caller(app);
    await generate();
    calls = 0;
    for (let count = 0; count < 100; count += 1) expect((await generate()).status).toBe(429);
    expect(calls).toBeLessThanOrEqual(most);
  });
});

describe('jobs that have not ended', () => {
  test('one more is refused until one has ended', async () => {
    const { owner, generate } = await caller(appWith({ maxWaiting: 2 }));
    const [first] = [await generate(), await generate()];
    const refused = await generate();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(refused.headers.get('ratelimit')).toBe('"unfinished";r=0');
    expect(refused.json).toMatchObject({
      error: `${owner} has 2 jobs that have not ended and may have 2; come again when one has ended`,
      code: 'too_many_unfinished',
    });
    await rig.store.jobs.write(idOf(first), cancel(clock));
    clock += SECOND;
    expect(codes([await generate(), await generate()])).toEqual([202, 'too_many_unfinished']);
  });

  test('those of yesterday count as well', async () => {
    const { generate } = await caller(appWith({ maxWaiting: 2 }));
    await generate();
    clock += DAY - 1;
    expect(codes([await generate(), await generate()])).toEqual([202, 'too_many_unfinished']);
  });
});

describe('images a day', () => {
  test('reserved when a job is accepted, counted when it has ended, free again the next day', async () => {
    clock = NOON;
    const { owner, generate, ask } = await caller(appWith({ imagesPerDay: 8 }));
    const [first, second] = [await generate({ batch_size: 4 }), await generate({ batch_size: 4 })];
    expect(second.headers.get('ratelimit')).toBe('"day";r=0;t=43200');
    const refused = await generate({ batch_size: 2 });
    expect(refused.headers.get('retry-after')).toBe('43200');
    expect(refused.json).toEqual({
      error: `${owner} may make 8 images a day; 8 are made or on their way, and 2 more are too many; the day ends at 2026-11-24T00:00:00.000Z`,
      code: 'images_used_up',
      details: { limit: 'day', allowed: 8, used: 8, resets_at: '2026-11-24T00:00:00.000Z' },
    });
    // One ends without an image: its four are free before anybody settles it.
    await rig.store.jobs.write(idOf(first), cancel(clock));
    clock += SECOND;
    expect((await generate({ batch_size: 3 })).status).toBe(202);
    expect((await ask('GET /api/usage')).json).toMatchObject({
      owner,
      images_today: { limit: 8, used: 0, reserved: 7, remaining: 1, resets_at: '2026-11-24T00:00:00.000Z' },
      unfinished_jobs: { limit: null, used: 2, remaining: null },
    });
    clock += COMMITTED_AFTER;
    await settle();
    await settle();
    expect(await rig.store.usage.read(owner, '2026-11-23')).toMatchObject({
      taken: 7,
      uncommitted: 2,
      jobs: 1,
    });
    clock += DAY / 2;
    expect((await generate({ batch_size: 8 })).status).toBe(202);
  });

  test('of 30 at once in two processes as many are accepted as there is room for', async () => {
    const { owner, generate } = await caller(appWith({ imagesPerDay: 10 }));
    const other = await caller(appWith({ imagesPerDay: 10 }), owner);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => (index % 2 ? generate() : other.generate())),
    );
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(10);
    expect(new Set(codes(answers))).toEqual(new Set([202, 'images_used_up']));
  });

  test('what a full disk refuses costs nothing', async () => {
    const { jobs } = rig.store;
    const full = () => Promise.reject(new StorageFull());
    const { owner, generate } = await caller(
      appWith({ imagesPerDay: 4 }, { jobs: { ...jobs, putNew: full } }),
    );
    for (let tries = 0; tries < 5; tries += 1) expect((await generate({ batch_size: 4 })).status).toBe(503);
    const after = await caller(appWith({ imagesPerDay: 4 }), owner);
    expect((await after.generate({ batch_size: 4 })).status).toBe(202);
  });

  test('a repeated request is answered over any limit and costs nothing', async () => {
    const { owner, generate } = await caller(appWith({ imagesPerDay: 1, perMinute: 1, maxWaiting: 1 }));
    const once = { 'idempotency-key': 'once' };
    const first = await generate({}, once);
    expect((await generate()).status).toBe(429);
    for (let count = 0; count < 3; count += 1) expect(idOf(await generate({}, once))).toBe(idOf(first));
    expect(await rig.store.usage.read(owner, '2026-11-24')).toMatchObject({ taken: 1, uncommitted: 1 });
  });

  test('an api that dies before the job is accepted: a repetition accepts it, and it counts once', async () => {
    const { jobs } = rig.store;
    const dying = appWith({ imagesPerDay: 4 }, { jobs: diesBeforeTheState(jobs) });
    const { owner, generate } = await caller(dying);
    const once = { 'idempotency-key': 'dies' };
    expect((await generate({ batch_size: 4 }, once)).status).toBe(500);
    const after = await caller(appWith({ imagesPerDay: 4 }), owner);
    expect((await after.generate({ batch_size: 4 }, once)).status).toBe(202);
    expect(await rig.store.usage.read(owner, '2026-11-24')).toMatchObject({ taken: 4, uncommitted: 1 });
  });

  test('one that dies and is never repeated holds its images for an hour, then the controller frees them', async () => {
    const { jobs } = rig.store;
    const dying = appWith({}, { jobs: { ...jobs, putNew: () => Promise.reject(new Error('killed')) } });
    const { owner, generate } = await caller(dying);
    expect((await generate({ batch_size: 4 })).status).toBe(500);
    clock += HOUR - 1;
    await settle();
    expect(await rig.store.usage.read(owner, '2026-11-24')).toMatchObject({ taken: 4, uncommitted: 1 });
    clock += 1;
    await settle();
    expect(await rig.store.usage.read(owner, '2026-11-24')).toMatchObject({
      taken: 0,
      uncommitted: 0,
      jobs: 0,
    });
  });

  test('a job that is deleted has been made all the same', async () => {
    clock = NOON + 2 * DAY;
    const { owner, generate, ask } = await caller(appWith({ imagesPerDay: 2 }));
    const jobId = idOf(await generate({ batch_size: 2 }));
    const made = await putJob(rig, { owner, status: 'completed', images: 2 });
    const { outputs } = (await rig.store.jobs.readState(made))!;
    await rig.store.jobs.write(jobId, {
      verb: 'complete',
      when: [{ field: 'status', is: 'queued' }],
      set: { status: 'completed', endedAt: clock, outputs: outputs! },
      remove: ['work'],
    });
    expect((await ask(`DELETE /api/history/${jobId}`)).status).toBe(200);
    clock += 2 * HOUR;
    await settle();
    expect((await rig.store.usage.listOpen()).filter((day) => day.owner === owner)).toEqual([]);
    expect((await ask('GET /api/usage')).json).toMatchObject({ images_today: { used: 2, remaining: 0 } });
    expect(codes([await generate()])).toEqual(['images_used_up']);
  });
});

describe('dollars a month', () => {
  test('what is spent and what jobs that have not ended will cost about', async () => {
    clock = Date.UTC(2026, 11, 31, 12);
    const { generate, ask } = await caller(appWith({ usdPerMonth: 1 }));
    for (const images of [1, 1]) {
      const jobId = idOf(await generate());
      await rig.store.jobs.write(jobId, {
        verb: 'complete',
        when: [{ field: 'status', is: 'queued' }],
        set: { status: 'completed', endedAt: clock, costMicroUsd: 200_000 * images, gpuMs: 3000 },
        remove: ['work'],
      });
    }
    clock += COMMITTED_AFTER + 10 * SECOND;
    await settle();
    // 0.40 spent at 0.20 each: three more fit.
    const answers = [];
    for (let count = 0; count < 4; count += 1) {
      answers.push(await generate());
      clock += 10 * SECOND;
    }
    expect(codes(answers)).toEqual([202, 202, 202, 'budget_used_up']);
    // The limit, what is spent, what is reserved, what this job takes, and when the month ends.
    const said = String(answers[3]!.json['error']);
    expect(said.match(/\d+\.\d{2,4}(?= |;|,)/g)).toEqual(['1.00', '0.4000', '0.6000', '0.2000']);
    expect(said).toContain('2027-01-01T00:00:00.000Z');
    expect((await ask('GET /api/usage')).json).toMatchObject({
      usd_this_month: { limit: 1, used: 0.4, remaining: 0, resets_at: '2027-01-01T00:00:00.000Z' },
      this_month: { jobs: 2, gpu_seconds: 6 },
    });
    clock = Date.UTC(2027, 0, 1);
    expect((await generate()).status).toBe(202);
  });
});

describe('an owner’s own limits', () => {
  test('stand before the settings, within half a minute', async () => {
    const { owner, generate, ask } = await caller(appWith({ imagesPerDay: 0, perMinute: 60 }));
    expect(codes([await generate()])).toEqual(['images_used_up']);
    await rig.store.owners.setLimits(owner, { imagesPerDay: null, perMinute: 7 });
    clock += 30 * SECOND;
    expect((await generate()).status).toBe(202);
    expect((await ask('GET /api/usage')).json).toMatchObject({
      requests_per_minute: { limit: 7, remaining: 6 },
      images_today: { limit: null, reserved: 1, remaining: null },
    });
  });
});

test('without a key there are no limits, and the tables of limits are neither read nor written', async () => {
  const touched: string[] = [];
  const deaf = (table: object) =>
    new Proxy(table, {
      get: (_, name) => () => {
        touched.push(String(name));
        throw new Error('touched');
      },
    });
  const app = anotherProcess(rig, {
    now,
    owners: deaf(rig.store.owners) as ApiDeps['owners'],
    usage: deaf(rig.store.usage) as ApiDeps['usage'],
    settings: {
      links: 'request',
      allowedOrigins: ['*'],
      fixedComfyUI: true,
      maxWaiting: 10_000,
      ownerLimits: { perMinute: 1, imagesPerDay: 0 },
    },
  });
  for (let count = 0; count < 3; count += 1) {
    const answer = await call(app, 'POST /api/generate', { json: { prompt: 'a fox' } });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('ratelimit')).toBeNull();
  }
  expect((await call(app, 'GET /api/usage')).json).toEqual({
    owner: 'local',
    scopes: ['generate', 'graphs', 'read', 'admin'],
    limited: false,
  });
  await call(app, 'POST /api/queue/clear');
  expect(touched).toEqual([]);
});
