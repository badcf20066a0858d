// What is held is bounded, belongs to whoever may see it, and is let go: when the client leaves, when the process stops,
// when the key is worth nothing any more.

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import { cancel } from '../../functions/core/job.ts';
import { listen, type Listening, listenerOf } from '../../functions/runtime/listen.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { eventsOf, type ServerEvent } from './event-reader.ts';
import { anotherProcess, eventually, putJob } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

/** An API that holds so many requests, on a port. */
async function serve(openConnections: number, openAtMost = 60_000) {
  const stopping = new AbortController();
  const { jobs } = rig.store;
  /** The jobs of the last look of the watcher, and how many looks there were. */
  const seen = { jobIds: [] as string[], polls: 0 };
  const app = anotherProcess(rig, {
    jobs: {
      ...jobs,
      readStates(jobIds, how) {
        if (how.consistent) Object.assign(seen, { jobIds, polls: seen.polls + 1 });
        return jobs.readStates(jobIds, how);
      },
    },
    stopping: stopping.signal,
    settings: {
      links: 'request',
      allowedOrigins: ['*'],
      fixedComfyUI: true,
      maxWaiting: 10_000,
      openConnections,
      openAtMost,
    },
  });
  const server: Listening = await listen(listenerOf(app), '127.0.0.1', 0);
  return {
    app,
    url: `http://127.0.0.1:${server.port}`,
    /** Resolves when all of them are followed. */
    async follows(...jobIds: string[]): Promise<void> {
      const before = seen.polls;
      await eventually('those who follow', () =>
        Promise.resolve(seen.polls > before && jobIds.every((jobId) => seen.jobIds.includes(jobId))),
      );
    },
    async close() {
      stopping.abort();
      await server.close();
    },
  };
}

const RETRY: ServerEvent = { retry: 2000 };
const told = (events: ServerEvent[]) => events.filter(({ comment }) => comment === undefined);

/** Is a stream held that is asked for now? */
async function isHeld(url: string, jobId: string): Promise<boolean> {
  const events = eventsOf(await fetch(`${url}/api/status/${jobId}/events`));
  await events.nextTold();
  const first = await Promise.race([
    events.next(),
    new Promise<'held'>((resolve) => setTimeout(() => resolve('held'), 300)),
  ]);
  await events.cancel();
  return first === 'held';
}

describe('past the budget', () => {
  test('a stream says what is known and when to come again, and an answer that would wait comes at once', async () => {
    const api = await serve(1);
    const jobId = await putJob(rig);
    try {
      const held = eventsOf(await fetch(`${api.url}/api/status/${jobId}/events`));
      const { id } = (await held.nextTold())!;
      const past = await eventsOf(await fetch(`${api.url}/api/status/${jobId}/events`)).rest();
      expect(past).toEqual([
        { event: 'status', id, data: expect.objectContaining({ job_id: jobId }) },
        RETRY,
      ]);
      const knowing = await fetch(`${api.url}/api/status/${jobId}/events`, {
        headers: { 'last-event-id': id! },
      });
      expect(knowing.status).toBe(200);
      expect(told(await eventsOf(knowing).rest())).toEqual([RETRY]);
      const from = performance.now();
      const answer = await fetch(`${api.url}/api/status/${jobId}?wait=20`);
      expect(await answer.json()).toMatchObject({ job_id: jobId, event_id: id });
      expect(performance.now() - from).toBeLessThan(1000);
      // The one that is held goes on.
      await rig.store.jobs.write(jobId, cancel(rig.store.now()));
      expect((await held.nextTold())?.data).toMatchObject({ status: 'cancelled' });
    } finally {
      await api.close();
    }
  });

  test('with no budget at all, every stream is one answer', async () => {
    const api = await serve(0);
    const jobId = await putJob(rig);
    try {
      const events = await eventsOf(await fetch(`${api.url}/api/status/${jobId}/events`)).rest();
      expect(events.map(({ event, retry }) => event ?? retry)).toEqual(['status', 2000]);
    } finally {
      await api.close();
    }
  });
});

describe('a place is free again', () => {
  test('as soon as the client of a stream, or of an answer that waits, is gone', async () => {
    const api = await serve(1);
    const jobId = await putJob(rig);
    try {
      for (const path of ['/events', '?wait=25', '/events', '?wait=25']) {
        const asked = request(`${api.url}/api/status/${jobId}${path}`);
        asked.on('error', () => undefined);
        asked.on('response', (response) => response.resume());
        asked.end();
        await api.follows(jobId);
        expect(await isHeld(api.url, jobId)).toBe(false);
        asked.destroy();
        await eventually('the end of its place', () => isHeld(api.url, jobId), 3000);
      }
    } finally {
      await api.close();
    }
  });

  test('when it was held for as long as it may be', async () => {
    const api = await serve(1, 1200);
    const jobId = await putJob(rig);
    try {
      const events = await eventsOf(await fetch(`${api.url}/api/status/${jobId}/events`)).rest();
      expect(told(events).at(-1)).toEqual(RETRY);
      expect(await isHeld(api.url, jobId)).toBe(true);
    } finally {
      await api.close();
    }
  });

  test('when HEAD has been answered', async () => {
    const api = await serve(1);
    const jobId = await putJob(rig);
    try {
      for (const path of ['/events', '?wait=25'])
        expect((await fetch(`${api.url}/api/status/${jobId}${path}`, { method: 'HEAD' })).status).toBe(200);
      expect(await isHeld(api.url, jobId)).toBe(true);
    } finally {
      await api.close();
    }
  });
});

test('the end of the server ends streams with when to come again, and answers what waits, at once', async () => {
  const api = await serve(10);
  const [jobId, other] = [await putJob(rig), await putJob(rig)];
  const events = eventsOf(await fetch(`${api.url}/api/status/${jobId}/events`));
  await events.nextTold();
  const rest = events.rest();
  const waits = fetch(`${api.url}/api/status/${other}?wait=25`).then((answer) => answer.json());
  await api.follows(jobId, other);
  const from = performance.now();
  await api.close();
  expect(performance.now() - from).toBeLessThan(2000);
  expect(told(await rest)).toEqual([RETRY]);
  expect(await waits).toMatchObject({ job_id: other, status: 'queued' });
});

describe('where keys are asked for', () => {
  let clock = 0;
  let server: Listening;
  const stopping = new AbortController();
  beforeAll(async () => {
    const now = () => rig.store.now() + clock;
    const admit = askForKeys({ keys: rig.store.keys, now });
    const app = anotherProcess(rig, { now, admit, stopping: stopping.signal });
    server = await listen(listenerOf(app), '127.0.0.1', 0);
  });
  afterAll(() => {
    stopping.abort();
    return server.close();
  });

  async function keyOf(owner: string, scopes: Scope[]) {
    const drawn = drawKey(randomBytes);
    const { keyId, hash } = drawn;
    await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: rig.store.now() });
    return drawn;
  }
  const follow = (jobId: string, key: string) =>
    fetch(`http://127.0.0.1:${server.port}/api/status/${jobId}/events`, {
      headers: { authorization: `Bearer ${key}` },
    });

  test('another’s job is not there, as one that never was; a key must be one that reads', async () => {
    const jobId = await putJob(rig, { owner: 'alice' });
    const mallory = await follow(jobId, (await keyOf('mallory', ['read', 'generate'])).key);
    const never = await follow(
      '550e8400-e29b-41d4-a716-446655440000',
      (await keyOf('mallory', ['read'])).key,
    );
    expect([mallory.status, await mallory.json()]).toEqual([never.status, await never.json()]);
    expect(never.status).toBe(404);
    expect((await follow(jobId, (await keyOf('alice', ['generate'])).key)).status).toBe(403);
    expect((await follow(jobId, 'ck_none')).status).toBe(401);
    const own = eventsOf(await follow(jobId, (await keyOf('alice', ['read'])).key));
    expect((await own.nextTold())?.data).toMatchObject({ job_id: jobId });
    await own.cancel();
  });

  test('a stream ends when its key was revoked, and tells nothing of what comes after', async () => {
    const jobId = await putJob(rig, { owner: 'alice' });
    const { key, keyId } = await keyOf('alice', ['read']);
    const events = eventsOf(await follow(jobId, key));
    expect((await events.nextTold())?.data).toMatchObject({ status: 'queued' });
    await rig.store.keys.revoke(keyId, rig.store.now());
    // What a process remembers of a key it forgets in this time.
    clock += 31_000;
    await rig.store.jobs.write(jobId, cancel(rig.store.now()));
    expect(told(await events.rest())).toEqual([RETRY]);
    expect((await follow(jobId, key)).status).toBe(401);
  });

  test('a stream goes on while its key is valid', async () => {
    const jobId = await putJob(rig, { owner: 'alice' });
    const events = eventsOf(await follow(jobId, (await keyOf('alice', ['read'])).key));
    await events.nextTold();
    clock += 31_000;
    await rig.store.jobs.write(jobId, cancel(rig.store.now()));
    expect((await events.nextTold())?.data).toMatchObject({ status: 'cancelled' });
    expect(await events.next()).toBeUndefined();
  });
});
