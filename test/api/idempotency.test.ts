// Idempotency-Key: however often and however concurrently a request is repeated, it is one job.

import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancel } from '../../functions/core/job.ts';
import { jobIdFrom, keys } from '../../functions/core/names.ts';
import type { Template } from '../../functions/core/template.ts';
import { readGraph } from '../../functions/images/documents.ts';
import { signal } from '../../functions/runtime/deferred.ts';
import type { Table } from '../../functions/store/engine.ts';
import { createJobs } from '../../functions/store/jobs.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type Answer, anotherProcess, call, countStored, diesBeforeTheState } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.close());

const post = (json: unknown, key: string, app: Pick<Rig['app'], 'request'> = rig.app): Promise<Answer> =>
  call(app, 'POST /api/generate', { json, headers: { 'Idempotency-Key': key } });

const diesBetweenThePuts = () =>
  anotherProcess(rig, {
    jobs: diesBeforeTheState(rig.store.jobs),
  });

/** Compresses badly, so that its graph is too large for the table. */
const LONG = Array.from(randomBytes(20_000).toString('utf16le'))
  .filter((c) => /\p{L}/u.test(c))
  .join('');

test('the same key and body gets the first answer again', async () => {
  const key = randomUUID();
  const first = await post({ prompt: 'a cat', steps: 3 }, key);
  const before = await countStored(rig);
  // Neither the order of the fields nor the spaces matter.
  const again = await post({ steps: 3, prompt: 'a cat' }, key);
  expect(again.status).toBe(202);
  expect(again.json).toEqual(first.json);
  expect(await countStored(rig)).toEqual(before);
});

test('the same key with another body is 422, valid or not', async () => {
  const key = randomUUID();
  const first = await post({ prompt: 'a cat' }, key);
  const before = await countStored(rig);
  for (const body of [{ prompt: 'a dog' }, { prompt: LONG }]) {
    const other = await post(body, key);
    expect(other.status).toBe(422);
    expect(other.json).toMatchObject({
      code: 'idempotency_mismatch',
      details: { field: 'Idempotency-Key' },
    });
  }
  expect(await countStored(rig)).toEqual(before);
  expect((await post({ prompt: 'a cat' }, key)).json['job_id']).toBe(first.json['job_id']);
});

test('twenty at once are one job', async () => {
  const key = randomUUID();
  const before = await countStored(rig);
  const answers = await Promise.all(Array.from({ length: 20 }, () => post({ prompt: 'at once' }, key)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
  for (const { json } of answers) expect(json).toEqual(answers[0]!.json);
  const after = await countStored(rig);
  expect(after.items - before.items).toBe(2);
  expect(after.objects).toBe(before.objects);
});

test('twenty at once with a graph too large for the table agree on its seed', async () => {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 20 }, () => post({ prompt: LONG }, key)));
  const request = (await rig.store.jobs.readRequest(String(answers[0]!.json['job_id'])))!;
  expect(request.graphKey).toBeDefined();
  expect((await readGraph(rig.images, request))!['8']!.inputs['seed']).toBe(answers[0]!.json['seed']);
});

test('a repetition leaves the graph in the bucket as the answer said', async () => {
  const key = randomUUID();
  const first = await post({ prompt: LONG }, key);
  await post({ prompt: LONG }, key);
  await post({ prompt: `${LONG}!` }, key);
  const request = (await rig.store.jobs.readRequest(String(first.json['job_id'])))!;
  const graph = (await readGraph(rig.images, request))!;
  expect(graph['8']!.inputs['seed']).toBe(first.json['seed']);
  expect(graph['4']!.inputs['text']).toBe(LONG);
});

test('a first attempt that died between its two puts is completed by the next', async () => {
  const key = randomUUID();
  expect((await post({ prompt: 'a cat' }, key, diesBetweenThePuts())).status).toBe(500);
  const jobId = jobIdFrom({ owner: 'local', key });
  const kept = (await rig.store.jobs.readRequest(jobId))!;
  expect(await rig.store.jobs.readState(jobId)).toBeUndefined();
  expect((await call(rig.app, `GET /api/status/${jobId}`)).status).toBe(404);

  const again = await post({ prompt: 'a cat' }, key);
  expect(again.json).toMatchObject({ job_id: jobId, seed: kept.inputs['seed'] });
  expect(await rig.status(jobId)).toMatchObject({ status: 'queued', seed: kept.inputs['seed'] });
});

test('a first attempt with a large graph that died anywhere is completed by the next', async () => {
  for (const [name, broken] of [
    ['before the bucket', { images: { ...rig.images, put: refuse, putOnce: refuse } }],
    ['before the state', { jobs: { ...rig.store.jobs, putState: refuse } }],
  ] as const) {
    const key = randomUUID();
    expect((await post({ prompt: LONG }, key, anotherProcess(rig, broken))).status).toBe(500);
    const again = await post({ prompt: LONG }, key);
    expect([name, again.status]).toEqual([name, 202]);
    const request = (await rig.store.jobs.readRequest(String(again.json['job_id'])))!;
    const graph = await readGraph(rig.images, request);
    expect([name, graph?.['8']!.inputs['seed']]).toEqual([name, again.json['seed']]);
  }
});
const refuse = () => Promise.reject(new Error('the process died'));

describe('the workflow has changed since', () => {
  const changed = (templates: ReadonlyMap<string, Template>) =>
    anotherProcess(rig, { workflows: { templates, refused: [] } });
  const other = () => {
    const template = structuredClone(rig.templates.get('flux2_turbo_default')!);
    template.graph['8']!.inputs['denoise'] = 0.5;
    return new Map([[template.name, template]]);
  };

  test.each([
    ['another graph', other],
    ['no such workflow any more', () => new Map<string, Template>()],
  ])('%s: an accepted job with a large graph is answered again, and keeps its graph', async (_, now) => {
    const key = randomUUID();
    const first = await post({ prompt: LONG }, key);
    const again = await post({ prompt: LONG }, key, changed(now()));
    expect([again.status, again.json]).toEqual([202, first.json]);
    const request = (await rig.store.jobs.readRequest(String(first.json['job_id'])))!;
    expect((await readGraph(rig.images, request))!['8']!.inputs['denoise']).toBe(1);
  });

  test('what died before its graph was stored is no job of the other graph', async () => {
    const key = randomUUID();
    const images = { ...rig.images, putOnce: refuse };
    expect((await post({ prompt: LONG }, key, anotherProcess(rig, { images }))).status).toBe(500);
    expect(await post({ prompt: LONG }, key, changed(other()))).toMatchObject({
      status: 422,
      json: { code: 'idempotency_mismatch' },
    });
    expect((await post({ prompt: LONG }, key)).status).toBe(202);
  });
});

test('a repetition is answered even when the queue is full by now', async () => {
  const key = randomUUID();
  const first = await post({ prompt: 'a cat' }, key);
  const full = anotherProcess(rig, {
    settings: { links: 'request', allowedOrigins: ['*'], fixedComfyUI: true, maxWaiting: 0 },
  });
  expect((await post({ prompt: 'a cat' }, key, full)).json).toEqual(first.json);
  expect((await post({ prompt: 'a cat' }, randomUUID(), full)).status).toBe(429);
});

test('a key lives as long as its job: after its removal it makes a new one', async () => {
  const key = randomUUID();
  const first = await post({ prompt: LONG }, key);
  const jobId = String(first.json['job_id']);
  await call(rig.app, `DELETE /api/queue/${jobId}`);
  expect((await call(rig.app, `DELETE /api/history/${jobId}`)).status).toBe(200);
  expect(await rig.images.head(keys.graph(jobId))).toBeUndefined();
  expect((await post({ prompt: 'another body' }, key)).status).toBe(202);
  expect((await rig.status(jobId))['prompt']).toBe('another body');
});

test.each(['', ' ', 'a key', 'ü', 'x'.repeat(256)])('the key %j is refused', async (key) => {
  const answer = await post({ prompt: 'x' }, key);
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ code: 'invalid_field', details: { field: 'Idempotency-Key' } });
});

test('a key that is used again while its former job is removed: what is accepted is there, whole', async () => {
  const key = randomUUID();
  const { json } = await post({ prompt: 'removed' }, key);
  const jobId = String(json['job_id']);
  await rig.store.jobs.write(jobId, cancel(rig.store.now()));
  // The removal stands still between its two deletions.
  const [atRequest, goOn] = [signal<void>(), signal<void>()];
  const { engine } = rig.store;
  const table = engine.table(jobsTable);
  const remove: Table['remove'] = async (at, when) => {
    if (at['part'] === 'request') {
      atRequest.resolve();
      await goOn.promise;
    }
    return table.remove(at, when);
  };
  const slow = createJobs(
    { ...engine, table: (spec) => (spec === jobsTable ? { ...table, remove } : engine.table(spec)) },
    rig.store.spread,
  );
  const removed = call(anotherProcess(rig, { jobs: slow }), `DELETE /api/history/${jobId}`);
  await atRequest.promise;
  expect((await post({ prompt: 'removed' }, key)).status).toBe(202);
  goOn.resolve();
  expect((await removed).status).toBe(200);
  // As another process sees it.
  expect(await rig.store.jobs.read(jobId)).toMatchObject({
    state: { status: 'queued' },
    request: { inputs: { prompt: 'removed' } },
  });
});

test('a waiting state without a request is removed by the host that finds it, and holds nobody up', async () => {
  const other = await startRig({ forward: false });
  try {
    const orphans = await Promise.all(Array.from({ length: 15 }, () => other.generate()));
    for (const jobId of orphans) {
      const table = other.store.engine.table(jobsTable);
      await table.remove({ jobId, part: 'request' });
      await table.update({ jobId, part: 'state' }, { set: { createdAt: other.store.now() - 61_000 } });
    }
    await other.addHost();
    await other.until(await other.generate(), ['completed'], 20_000);
    await expect.poll(() => other.store.jobs.countWork('waiting'), { timeout: 10_000 }).toBe(0);
  } finally {
    await other.close();
  }
}, 60_000);
