// How a job comes to be and goes: its two parts, put in order, each at most once; and what is read of many.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobState } from '../../functions/core/job.ts';
import { type JobRequest, packGraph, unpackGraph } from '../../functions/core/request.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { NOW, STATES } from '../core/job-states.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const EXPIRES = 1_900_000_000;

const graph = { '1': { class_type: 'KSampler', inputs: { steps: 8, text: 'Ünïcode 🦊\n' } } };
const request = (jobId: string, bodyHash = 'hash-1'): JobRequest => ({
  jobId,
  owner: 'owner-1',
  workflow: 'flux2_turbo_default',
  inputs: { prompt: 'a fox', steps: 8, cfg: 3.5, flag: true },
  notes: ['a note'],
  bodyHash,
  staging: [{ key: 'uploads/x.png', to: ['12.image'] }],
  graph: packGraph(graph),
});
const state = (jobId: string): JobState => ({
  ...STATES.waiting,
  jobId,
  workOrder: `${NOW}-${jobId}`,
  ownerOrder: `${NOW}#${jobId}`,
});

describe('accepting a job', () => {
  it('both parts come back as they were put, the graph byte for byte', async () => {
    expect(await store.jobs.putRequest(request('new'), EXPIRES)).toEqual(request('new'));
    expect(await store.jobs.putState(state('new'), EXPIRES)).toBe(true);
    const job = await store.jobs.read('new');
    expect(job?.request).toMatchObject({ ...request('new'), graph: expect.any(Uint8Array) as Uint8Array });
    expect(unpackGraph(job!.request.graph!)).toEqual(graph);
    expect(job?.state).toMatchObject(state('new'));
    expect(await store.jobs.readState('new')).toEqual(job?.state);
    expect(await store.jobs.readRequest('new')).toEqual(job?.request);
  });

  it('a new request and its state come together, or what is there stays', async () => {
    expect(await store.jobs.putNew(request('together'), state('together'), EXPIRES)).toBe('accepted');
    const job = (await store.jobs.read('together'))!;
    expect([job.request, job.state]).toMatchObject([
      { bodyHash: 'hash-1', v: 1, expiresAt: EXPIRES },
      { ...state('together'), v: 1, expiresAt: EXPIRES },
    ]);
    expect((await store.jobs.listWork('waiting', 100)).map(({ jobId }) => jobId)).toContain('together');
    expect(await store.jobs.putNew(request('together', 'hash-2'), state('together'), EXPIRES)).toBe('there');
    expect((await store.jobs.readRequest('together'))?.bodyHash).toBe('hash-1');

    await store.jobs.putState(state('state-first'), EXPIRES);
    expect(await store.jobs.putNew(request('state-first'), state('state-first'), EXPIRES)).toBe('before');
    expect(await store.jobs.readRequest('state-first')).toBeDefined();
  });

  it('every part says its schema version and when it goes', async () => {
    await store.jobs.putRequest(request('dated'), EXPIRES);
    await store.jobs.putState(state('dated'), EXPIRES);
    const { state: stored, request: asked } = (await store.jobs.read('dated'))!;
    expect(stored).toMatchObject({ v: 1, expiresAt: EXPIRES });
    expect(asked).toMatchObject({ v: 1, expiresAt: EXPIRES });
  });

  it('a state without its request, or a request without its state, is no job', async () => {
    await store.jobs.putRequest(request('half'), EXPIRES);
    expect(await store.jobs.read('half')).toBeUndefined();
    expect(await store.jobs.readState('half')).toBeUndefined();
    await store.jobs.putState(state('headless'), EXPIRES);
    expect(await store.jobs.read('headless')).toBeUndefined();
    expect(await store.jobs.read('never')).toBeUndefined();
    await store.jobs.remove('headless');
  });

  it('who died between the two puts and comes again accepts the same job, once', async () => {
    await store.jobs.putRequest(request('died'), EXPIRES);
    const again = await store.jobs.putRequest(request('died'), EXPIRES + 99);
    expect(again).toMatchObject({ bodyHash: 'hash-1', expiresAt: EXPIRES });
    expect(await store.jobs.putState(state('died'), EXPIRES)).toBe(true);
    expect(await store.jobs.putState({ ...state('died'), owner: 'other' }, EXPIRES)).toBe(false);
    expect(await store.jobs.readState('died')).toMatchObject({ owner: 'owner-1' });
  });

  it('another body under the same name is not stored: the first is returned to be compared', async () => {
    await store.jobs.putRequest(request('taken'), EXPIRES);
    expect(await store.jobs.putRequest(request('taken', 'hash-2'), EXPIRES)).toMatchObject({
      bodyHash: 'hash-1',
    });
    expect(await store.jobs.readRequest('taken')).toMatchObject({ bodyHash: 'hash-1' });
  });

  it('of many who put at once one wins, and all learn which', async () => {
    const hashes = ['a', 'b', 'c', 'd', 'e'];
    const seen = await Promise.all(
      hashes.map((hash) => store.jobs.putRequest(request('race', hash), EXPIRES)),
    );
    expect(new Set(seen.map(({ bodyHash }) => bodyHash)).size).toBe(1);
    const won = await Promise.all(hashes.map(() => store.jobs.putState(state('race'), EXPIRES)));
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  it('a removed job leaves nothing, and its name is free again', async () => {
    await store.jobs.putRequest(request('gone'), EXPIRES);
    await store.jobs.putState(state('gone'), EXPIRES);
    await store.jobs.remove('gone');
    expect(await store.jobs.readState('gone')).toBeUndefined();
    expect(await store.jobs.readRequest('gone')).toBeUndefined();
    await store.jobs.remove('gone');
    expect(await store.jobs.putRequest(request('gone', 'hash-2'), EXPIRES)).toMatchObject({
      bodyHash: 'hash-2',
    });
  });
});

describe('reading many', () => {
  const ids = Array.from({ length: 230 }, (_, n) => `many-${String(n).padStart(3, '0')}`);
  beforeAll(async () => {
    for (const id of ids) await store.jobs.putState(state(id), EXPIRES);
    await store.jobs.putRequest(request('many-000'), EXPIRES);
  });

  it.each([true, false])(
    'states come in the order asked for, without those that are gone (%s)',
    async (consistent) => {
      const asked = ['nobody', ...ids.toReversed(), 'nobody-either'];
      const found = await store.jobs.readStates(asked, { consistent });
      expect(found.map(({ jobId }) => jobId)).toEqual(ids.toReversed());
      expect(found[0]).toMatchObject({ status: 'queued', work: 'waiting' });
    },
  );

  it('nothing asked for is nothing found', async () => {
    expect(await store.jobs.readStates([], { consistent: true })).toEqual([]);
    expect(await store.jobs.readRequests([])).toEqual(new Map());
  });

  it('a job asked for twice, since it moved between two lists, comes once', async () => {
    const asked = [ids[1]!, ids[0]!, ids[1]!];
    const found = await store.jobs.readStates(asked, { consistent: true });
    expect(found.map(({ jobId }) => jobId)).toEqual([ids[1], ids[0]]);
    expect([...(await store.jobs.readRequests([ids[0]!, ids[0]!])).keys()]).toEqual([ids[0]]);
  });

  it('requests are found by id', async () => {
    const found = await store.jobs.readRequests(['nobody', 'many-000', 'many-001']);
    expect([...found.keys()]).toEqual(['many-000']);
    expect(found.get('many-000')).toMatchObject({ workflow: 'flux2_turbo_default' });
  });
});
