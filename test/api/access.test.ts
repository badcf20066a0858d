// Keys: every route by every scope, for one's own, another's and nobody's; and what a key is worth when it has ended.

import { randomBytes } from 'node:crypto';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { drawKey, type Scope, type ApiKey } from '../../functions/core/access.ts';
import { imageName, keys as bucketKeys } from '../../functions/core/names.ts';
import { build } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, putJob } from './support.ts';

let rig: Rig;
let app: ApiApp;
let clock: number;
beforeAll(async () => {
  await build();
  rig = await startRig({ forward: false });
  clock = 0;
  const now = () => rig.store.now() + clock;
  app = anotherProcess(rig, { now, admit: askForKeys({ keys: rig.store.keys, now }) });
});
afterAll(() => rig.close());

async function keyOf(owner: string, scopes: Scope[], more: Partial<ApiKey> = {}): Promise<string> {
  const { key, keyId, hash } = drawKey(randomBytes);
  await rig.store.keys.add({
    keyId,
    hash,
    name: owner,
    owner,
    scopes,
    createdAt: rig.store.now(),
    ...more,
  });
  return key;
}

const asks = async (route: string, key: string | undefined, json?: unknown) => {
  const body = json instanceof FormData ? { body: json } : { ...(json !== undefined && { json }) };
  const headers: Record<string, string> = key === undefined ? {} : { 'x-api-key': key };
  const [method, path] = route.split(' ') as [string, string];
  const answer = await app.request(path, {
    method,
    headers: { ...headers, ...('json' in body && { 'content-type': 'application/json' }) },
    ...('json' in body && { body: JSON.stringify(body.json) }),
    ...('body' in body && { body: body.body }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text };
};

interface Thing {
  waiting: string;
  ended: string;
  image: string;
}

async function thingsOf(owner: string): Promise<Thing> {
  const ended = await putJob(rig, { owner, status: 'completed', images: 1 });
  const image = imageName('Flux2_Turbo', ended, 1, 'png');
  await rig.images.put(bucketKeys.image(ended, 1, image), PNG.sync.write(new PNG({ width: 1, height: 1 })), {
    contentType: 'image/png',
  });
  return { waiting: await putJob(rig, { owner }), ended, image };
}

function upload(): FormData {
  const form = new FormData();
  const png = PNG.sync.write(new PNG({ width: 64, height: 64 }));
  form.set('image', new File([new Uint8Array(png)], 'a.png', { type: 'image/png' }));
  return form;
}

const ROUTES: { route: (thing: Thing) => string; needs: Scope; body?: () => unknown; foreign: number }[] = [
  { route: () => 'POST /api/generate', needs: 'generate', body: () => ({ prompt: 'a fox' }), foreign: 202 },
  { route: () => 'POST /api/upload/image', needs: 'generate', body: upload, foreign: 200 },
  {
    route: () => 'POST /api/upload/link',
    needs: 'generate',
    body: () => ({ filename: 'a.mp4', size_bytes: 1, sha256: '0'.repeat(64) }),
    foreign: 200,
  },
  { route: ({ waiting }) => `DELETE /api/queue/${waiting}`, needs: 'generate', foreign: 404 },
  { route: ({ ended }) => `DELETE /api/history/${ended}`, needs: 'generate', foreign: 404 },
  { route: () => 'POST /api/queue/clear', needs: 'generate', foreign: 200 },
  { route: ({ waiting }) => `GET /api/status/${waiting}`, needs: 'read', foreign: 404 },
  { route: ({ waiting }) => `GET /api/status/${waiting}?wait=0`, needs: 'read', foreign: 404 },
  // Of one that waits it would not end.
  { route: ({ ended }) => `GET /api/status/${ended}/events`, needs: 'read', foreign: 404 },
  { route: () => 'GET /api/jobs', needs: 'read', foreign: 200 },
  { route: ({ ended }) => `GET /api/jobs/${ended}`, needs: 'read', foreign: 404 },
  { route: ({ ended }) => `GET /api/jobs/${ended}/graph`, needs: 'read', foreign: 404 },
  { route: ({ image }) => `GET /api/image/${image}`, needs: 'read', foreign: 404 },
  { route: ({ image }) => `GET /api/image/${image}?redirect=1`, needs: 'read', foreign: 404 },
  { route: ({ image }) => `GET /api/image/${image}/thumbnail`, needs: 'read', foreign: 404 },
  { route: ({ image }) => `GET /api/image/${image}/metadata`, needs: 'read', foreign: 404 },
  { route: () => 'GET /api/queue', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/outputs', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/history', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/workflows', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/workflows/flux2_turbo_default', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/system', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/usage', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/webhooks', needs: 'read', foreign: 200 },
  { route: () => 'GET /api/webhooks/secret', needs: 'generate', foreign: 200 },
  { route: ({ ended }) => `GET /api/status/${ended}/events`, needs: 'read', foreign: 404 },
  { route: () => 'GET /api/usage', needs: 'read', foreign: 200 },
];

describe.each(ROUTES)('$needs: $route', ({ route, needs, body, foreign }) => {
  const other: Scope = needs === 'read' ? 'generate' : 'read';

  test('a key is taken as a bearer, by X-API-Key, and bare, as RunPod’s examples send it', async () => {
    const key = await keyOf('alice', ['read']);
    const statusWith = async (headers: Record<string, string>) =>
      (await app.request('/api/workflows', { headers })).status;
    expect(await statusWith({ authorization: `Bearer ${key}` })).toBe(200);
    expect(await statusWith({ authorization: key })).toBe(200);
    expect(await statusWith({ authorization: 'foreign', 'x-api-key': key })).toBe(200);
    for (const authorization of ['Bearer', `Basic ${key}`, `${key}x`, 'foreign'])
      expect(await statusWith({ authorization })).toBe(401);
  });

  test('nobody gets in, and is told how', async () => {
    const things = await thingsOf('alice');
    const { status, text, headers } = await asks(route(things), undefined, body?.());
    expect(status).toBe(401);
    expect(JSON.parse(text)).toEqual({ error: expect.stringContaining('X-API-Key'), code: 'unauthorized' });
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('its scope opens it for what is one’s own, the other scope does not', async () => {
    const things = await thingsOf('alice');
    const refused = await asks(route(things), await keyOf('alice', [other]), body?.());
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'forbidden', details: { scope: needs } });
    const { status } = await asks(route(things), await keyOf('alice', [needs]), body?.());
    expect(status).toBeLessThan(400);
  });

  test('what is another’s is answered as if it did not exist, and is as it was', async () => {
    const things = await thingsOf('alice');
    const { status, text } = await asks(
      route(things),
      await keyOf('mallory', ['generate', 'read']),
      body?.(),
    );
    expect(status).toBe(foreign);
    for (const id of Object.values(things)) if (status < 400) expect(text).not.toContain(id);
    if (foreign === 404) {
      const never = { waiting: NOWHERE, ended: NOWHERE, image: imageName('Flux2_Turbo', NOWHERE, 1, 'png') };
      const nothing = await asks(route(never), await keyOf('mallory', ['generate', 'read']), body?.());
      expect(text).toBe(nothing.text);
    }
    expect(await rig.store.jobs.readState(things.waiting)).toMatchObject({ status: 'queued' });
    expect(await rig.store.jobs.readState(things.ended)).toMatchObject({ status: 'completed' });
  });

  test('an admin is let in to everybody’s', async () => {
    const things = await thingsOf('alice');
    const { status } = await asks(route(things), await keyOf('root', ['admin']), body?.());
    expect(status).toBeLessThan(400);
  });
});

const NOWHERE = '550e8400-e29b-41d4-a716-446655440000';

test('lists are the caller’s own; an admin may ask for another’s, nobody else', async () => {
  const alice = await thingsOf('alice-lists');
  const bob = await thingsOf('bob-lists');
  for (const [owner, own, foreign] of [
    ['alice-lists', alice, bob],
    ['bob-lists', bob, alice],
  ] as const) {
    const key = await keyOf(owner, ['read']);
    const told = await Promise.all(
      ['queue', 'outputs', 'history', 'jobs'].map((list) => asks(`GET /api/${list}`, key)),
    );
    const text = told.map((answer) => answer.text).join('');
    for (const id of [own.waiting, own.image, own.ended]) expect(text).toContain(id);
    for (const id of [foreign.waiting, foreign.image, foreign.ended]) expect(text).not.toContain(id);
    expect(JSON.parse(told[0]!.text)).toMatchObject({ total_jobs: 1 });
  }
  const root = await keyOf('root', ['admin']);
  expect((await asks('GET /api/outputs?owner=bob-lists', root)).text).toContain(bob.image);
  expect((await asks('GET /api/outputs?owner=bob-lists', await keyOf('alice-lists', ['read']))).status).toBe(
    403,
  );
});

test('clearing the queue clears one’s own; an admin clears all', async () => {
  const alice = await thingsOf('alice-clears');
  const bob = await thingsOf('bob-clears');
  const { text } = await asks('POST /api/queue/clear', await keyOf('alice-clears', ['generate']));
  expect(JSON.parse(text)).toMatchObject({ cleared: 1 });
  expect(await rig.store.jobs.readState(alice.waiting)).toMatchObject({ status: 'cancelled' });
  expect(await rig.store.jobs.readState(bob.waiting)).toMatchObject({ status: 'queued' });
  await asks('POST /api/queue/clear', await keyOf('root', ['admin']));
  expect(await rig.store.jobs.readState(bob.waiting)).toMatchObject({ status: 'cancelled' });
});

test('an idempotency key is its owner’s: another’s is another job', async () => {
  const again = async (owner: string) => {
    const answer = await call(app, 'POST /api/generate', {
      json: { prompt: 'a fox' },
      headers: { 'x-api-key': await keyOf(owner, ['generate']), 'idempotency-key': 'once' },
    });
    return answer.json['job_id'];
  };
  const [first, second, others] = [
    await again('alice-once'),
    await again('alice-once'),
    await again('bob-once'),
  ];
  expect(second).toBe(first);
  expect(others).not.toBe(first);
});

test('an upload is its owner’s: the name is worth nothing to another', async () => {
  const alice = await keyOf('alice-uploads', ['generate']);
  const { name } = JSON.parse((await asks('POST /api/upload/image', alice, upload())).text) as {
    name: string;
  };
  const uses = (key: string) =>
    asks('POST /api/generate', key, { workflow: 'flux2_turbo_controlnet', prompt: 'x', image: name });
  expect((await uses(alice)).status).toBe(202);
  const refused = await uses(await keyOf('mallory-uploads', ['generate']));
  expect(refused.status).toBe(400);
  expect(refused.text).toContain('there is none of this name');
});

describe('a key', () => {
  test('is taken as a bearer token too', async () => {
    const key = await keyOf('alice', ['read']);
    const answer = await call(app, 'GET /api/workflows', { headers: { authorization: `Bearer ${key}` } });
    expect(answer.status).toBe(200);
  });

  test('that is unknown, wrong, revoked, over or no key at all is refused in the same words', async () => {
    const good = await keyOf('alice', ['read']);
    const revoked = await keyOf('alice', ['read'], { revokedAt: 1 });
    const over = await keyOf('alice', ['read'], { validUntil: rig.store.now() - 1 });
    const answers = await Promise.all(
      [
        revoked,
        over,
        `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
        drawKey(randomBytes).key,
        good.slice(0, -1),
        `${good}A`,
        'ck_',
        'x'.repeat(10_000),
        "ck_' OR 1=1",
      ].map((key) => asks('GET /api/workflows', key)),
    );
    for (const { status, text } of answers) {
      expect(status).toBe(401);
      expect(JSON.parse(text)).toEqual({ error: 'This API key is not valid', code: 'unauthorized' });
    }
    expect((await asks('GET /api/workflows', good)).status).toBe(200);
  });

  test('that is revoked is out within a minute, in a process that has just used it', async () => {
    const key = await keyOf('alice', ['read']);
    expect((await asks('GET /api/workflows', key)).status).toBe(200);
    await rig.store.keys.revoke(key.split('_')[1]!, rig.store.now());
    clock += 59_000;
    expect((await asks('GET /api/workflows', key)).status).toBe(401);
  });

  test('is stored as a hash: the table gives nobody away', async () => {
    const key = await keyOf('alice', ['read']);
    const [, keyId, secret] = /^ck_([0-9a-f]{16})_(.*)$/.exec(key)!;
    expect(JSON.stringify(await rig.store.keys.read(keyId!))).not.toContain(secret);
  });

  test('guessed a thousand times in a row costs the table one read', async () => {
    let reads = 0;
    const counting = anotherProcess(rig, {
      admit: askForKeys({
        keys: {
          read: (keyId) => {
            reads += 1;
            return rig.store.keys.read(keyId);
          },
        },
        now: rig.store.now,
      }),
    });
    const { keyId } = drawKey(randomBytes);
    for (let tries = 0; tries < 1000; tries += 1) {
      const guess = `ck_${keyId}_${randomBytes(32).toString('base64url')}`;
      const answer = await counting.request('/api/workflows', { headers: { 'x-api-key': guess } });
      expect(answer.status).toBe(401);
    }
    expect(reads).toBe(1);
  });

  test('is looked for again when the table did not answer', async () => {
    const key = await keyOf('alice', ['read']);
    let silent = true;
    const stumbling = anotherProcess(rig, {
      admit: askForKeys({
        keys: {
          read: (keyId) =>
            silent
              ? Promise.reject(Object.assign(new Error('slow'), { name: 'TimeoutError' }))
              : rig.store.keys.read(keyId),
        },
        now: rig.store.now,
      }),
    });
    const ask = () => stumbling.request('/api/workflows', { headers: { 'x-api-key': key } });
    expect((await ask()).status).toBe(503);
    silent = false;
    expect((await ask()).status).toBe(200);
  });
});
