// What an owner may keep of uploads: counted once whatever happens, shown, and given back when they go.

import { randomBytes } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp, ApiDeps } from '../../functions/api/deps.ts';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import { keys } from '../../functions/core/names.ts';
import type { OwnerLimits } from '../../functions/core/quota.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, type Json, putJob, SETTINGS } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let rig: Rig;
let ahead = 0;
/** The bucket's clock is the machine's; a test may let time pass. */
const now = () => Date.now() + ahead;
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

/** A small picture that there is once. */
function picture(): Uint8Array<ArrayBuffer> {
  const png = new PNG({ width: 16, height: 16 });
  randomBytes(png.data.length).copy(png.data);
  return new Uint8Array(PNG.sync.write(png));
}
const SIZE = picture().length;

async function caller(
  app: ApiApp,
  owner = `owner-${randomBytes(4).toString('hex')}`,
  scopes: Scope[] = ['generate', 'read'],
) {
  const { key, keyId, hash } = drawKey(randomBytes);
  await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: 0 });
  const headers = { 'x-api-key': key };
  const ask = (route: string, json?: unknown) =>
    call(app, route, { headers, ...(json !== undefined && { json }) });
  return {
    owner,
    ask,
    upload: (bytes = picture()) => {
      const body = new FormData();
      body.set('image', new File([bytes], 'a.png', { type: 'image/png' }));
      return call(app, 'POST /api/upload/image', { body, headers });
    },
    /** As `GET /api/usage` has it. */
    stored: async () => (await ask('GET /api/usage')).json['upload_bytes'] as Json,
    /** As the bucket has it. */
    async really() {
      let bytes = 0;
      for await (const { sizeBytes } of rig.images.list(keys.upload(owner, ''))) bytes += sizeBytes;
      return bytes;
    },
  };
}

/** So many pictures, and not one more. */
const roomFor = (pictures: number) => ({ uploadBytes: Math.ceil((pictures + 0.5) * SIZE) });

describe('bytes that an owner keeps', () => {
  test('over the limit: 429, how much there is, and nothing stored', async () => {
    const ann = await caller(appWith(roomFor(2)));
    await ann.upload();
    await ann.upload();
    const used = await ann.really();
    expect(await ann.stored()).toEqual({
      limit: roomFor(2).uploadBytes,
      used,
      remaining: roomFor(2).uploadBytes - used,
    });
    const refused = await ann.upload();
    expect(refused).toMatchObject({
      status: 429,
      json: {
        code: 'uploads_used_up',
        error: expect.stringContaining('DELETE /api/upload/image'),
        details: { limit: 'uploads', allowed: roomFor(2).uploadBytes, used },
      },
    });
    expect(refused.headers.get('ratelimit-policy')).toContain('"uploads"');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(29 * 24 * 3600);
    expect(await ann.really()).toBe(used);
  });

  test('many at once, of two processes: as many as there is room for', async () => {
    const ann = await caller(appWith(roomFor(5)));
    const other = await caller(appWith(roomFor(5)), ann.owner);
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, index) => (index % 2 ? ann : other).upload()),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect((await ann.stored())['used']).toBe(await ann.really());
  });

  test('the same picture counts once: one after the other, at once, and at the limit', async () => {
    const roomy = await caller(appWith(roomFor(10)));
    const once = picture();
    await Promise.all(Array.from({ length: 6 }, () => roomy.upload(once)));
    expect(await roomy.stored()).toMatchObject({ used: once.length });
    const ann = await caller(appWith(roomFor(1)));
    const bytes = picture();
    const answers = await Promise.all(Array.from({ length: 6 }, () => ann.upload(bytes)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
    expect((await ann.upload(bytes)).status).toBe(200);
    expect(await ann.stored()).toMatchObject({ used: bytes.length });
  });

  test('a process that dies before the object is there leaves no count for long, one that dies behind it counts once', async () => {
    const limits = roomFor(3);
    const dies = (when: 'before' | 'behind') =>
      appWith(limits, {
        images: {
          ...rig.images,
          putOnce: async (key, body, meta) => {
            if (when === 'behind') await rig.images.putOnce(key, body, meta);
            throw new Error('killed');
          },
        },
      });
    const before = await caller(dies('before'));
    const { owner } = before;
    const behind = await caller(dies('behind'), owner);
    const ann = await caller(appWith(limits), owner);
    const twice = picture();
    expect((await before.upload()).status).toBe(500);
    expect((await behind.upload(twice)).status).toBe(500);
    // It may still be on its way: there is room for one.
    expect((await ann.upload(twice)).status).toBe(200);
    expect((await ann.upload()).status).toBe(200);
    expect((await ann.upload()).json['code']).toBe('uploads_used_up');
    ahead += 11 * MINUTE;
    expect((await ann.upload()).status).toBe(200);
    expect((await ann.upload()).json['code']).toBe('uploads_used_up');
    ahead += HOUR;
    expect((await ann.stored())['used']).toBe(await ann.really());
  });

  test('an upload that is deleted or expired makes room at once', async () => {
    const ann = await caller(appWith(roomFor(2)));
    const first = await ann.upload();
    const second = await ann.upload();
    expect((await ann.upload()).status).toBe(429);
    expect((await ann.ask(`DELETE /api/upload/image/${String(first.json['name'])}`)).status).toBe(200);
    expect((await ann.stored())['used']).toBe(await ann.really());
    expect((await ann.upload()).status).toBe(200);
    // What the bucket's lifecycle does.
    await rig.images.delete([keys.upload(ann.owner, String(second.json['name']))]);
    expect((await ann.upload()).status).toBe(200);
    expect((await ann.upload()).status).toBe(429);
  });

  test('an owner may have a limit of its own, or none; without keys nothing is counted', async () => {
    const ann = await caller(appWith({ uploadBytes: 0 }));
    expect((await ann.upload()).status).toBe(429);
    await rig.store.owners.setLimits(ann.owner, { uploadBytes: null });
    const free = await caller(appWith({ uploadBytes: 0 }), ann.owner);
    expect((await free.upload()).status).toBe(200);
    expect(await free.stored()).toMatchObject({ limit: null, remaining: null });
    expect(await call(rig.app, 'GET /api/usage')).toMatchObject({ json: { limited: false } });
  });
});

describe('GET /api/uploads', () => {
  test('shows one’s own in pages, with size and times', async () => {
    const app = appWith({});
    const ann = await caller(app);
    const sent = await Promise.all(Array.from({ length: 5 }, () => ann.upload()));
    await (await caller(app)).upload();
    const found: Json[] = [];
    let cursor: string | null = '';
    do {
      const { json } = await ann.ask(`GET /api/uploads?limit=2${cursor && `&cursor=${cursor}`}`);
      found.push(...(json['uploads'] as Json[]));
      cursor = json['next_cursor'] as string | null;
    } while (cursor !== null);
    expect(found.map(({ name }) => name)).toEqual(sent.map(({ json }) => String(json['name'])).toSorted());
    const { uploaded_at: at, expires_at: until, size_bytes: size } = found[0]!;
    expect(Date.parse(String(until)) - Date.parse(String(at))).toBe(30 * 24 * HOUR);
    expect(size).toBeGreaterThan(500);
  });

  test('another’s only for an admin', async () => {
    const app = appWith({});
    const ann = await caller(app);
    await ann.upload();
    const bob = await caller(app);
    const admin = await caller(app, undefined, ['admin']);
    expect((await bob.ask('GET /api/uploads')).json).toMatchObject({ uploads: [] });
    expect((await bob.ask(`GET /api/uploads?owner=${ann.owner}`)).status).toBe(403);
    expect((await admin.ask(`GET /api/uploads?owner=${ann.owner}`)).json['uploads']).toHaveLength(1);
  });
});

describe('DELETE /api/upload/image/<name>', () => {
  test('takes one’s own, and no other', async () => {
    const app = appWith({});
    const ann = await caller(app);
    const bob = await caller(app);
    const admin = await caller(app, undefined, ['admin']);
    const { json } = await ann.upload();
    const route = `DELETE /api/upload/image/${String(json['name'])}`;
    expect((await bob.ask(route)).json['code']).toBe('image_not_found');
    expect((await bob.ask(`${route}?owner=${ann.owner}`)).status).toBe(403);
    expect(await ann.really()).toBeGreaterThan(0);
    expect((await admin.ask(`${route}?owner=${ann.owner}`)).status).toBe(200);
    expect(await ann.really()).toBe(0);
    expect((await ann.ask(route)).json['code']).toBe('image_not_found');
    for (const name of ['..%2f..%2fetc%2fpasswd', 'x.png', `${'a'.repeat(64)}.exe`])
      expect((await ann.ask(`DELETE /api/upload/image/${name}`)).status).toBe(404);
  });

  test('what a job reads that has not ended stays, and the job is named', async () => {
    const ann = await caller(appWith({}));
    const { json } = await ann.upload();
    const name = String(json['name']);
    for (let others = 0; others < 3; others += 1) await putJob(rig, { owner: ann.owner });
    const made = await ann.ask('POST /api/generate', {
      workflow: 'flux2_turbo_controlnet',
      prompt: 'a fox',
      image: name,
    });
    const jobId = String(made.json['job_id']);
    const refused = await ann.ask(`DELETE /api/upload/image/${name}`);
    expect(refused).toMatchObject({
      status: 409,
      json: { code: 'upload_in_use', details: { job_id: jobId }, error: expect.stringContaining(jobId) },
    });
    expect(await ann.really()).toBeGreaterThan(0);
    expect((await ann.ask(`DELETE /api/queue/${jobId}`)).status).toBe(200);
    expect((await ann.ask(`DELETE /api/upload/image/${name}`)).status).toBe(200);
  });
});
