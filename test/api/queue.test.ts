// GET /api/queue and DELETE /api/queue/<id>: what waits, what runs, and taking one out.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createQueue } from '../../functions/api/caches/queue-view.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';
import { call, eventually, type Json, putJob, putJobs } from './support.ts';

interface Queue {
  queue: { queue_pending: [number, string][]; queue_running: [number, string][] };
  jobs: Record<string, Json>;
  total_jobs: number;
  next_cursor: string | null;
}

let rig: Rig;
let host: TestHost | undefined;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => {
  // Else the host's drain waits for what hangs.
  if (host) host.comfyui.faults.hangExecutor = false;
  return rig.close();
});
beforeEach(() => emptied(rig));

async function emptied({ app, store }: Rig): Promise<void> {
  await call(app, 'POST /api/queue/clear');
  await eventually('an empty queue', async () => (await store.jobs.countWork('waiting')) === 0);
}

async function queueOf(app: Rig['app'], query = ''): Promise<Queue> {
  const { status, json } = await call<Queue>(app, `GET /api/queue${query}`);
  expect(status).toBe(200);
  return json;
}

const promptIdOf = async (jobId: string) => String((await rig.status(jobId))['prompt_id']);

test('an empty queue has all of its fields', async () => {
  expect(await queueOf(rig.app)).toEqual({
    queue: { queue_pending: [], queue_running: [] },
    jobs: {},
    total_jobs: 0,
    next_cursor: null,
  });
});

test('waiting jobs come in the order in which they will run, with the view of each', async () => {
  const ids = [await rig.generate({ prompt: 'one' }), await rig.generate(), await rig.generate()];
  const { queue, jobs } = await queueOf(rig.app);
  const promptIds = await Promise.all(ids.map(promptIdOf));
  expect(queue).toEqual({
    queue_pending: promptIds.map((promptId, index) => [index + 1, promptId]),
    queue_running: [],
  });
  expect(Object.keys(jobs)).toEqual(ids);
  expect(jobs[ids[0]!]).toMatchObject({
    job_id: ids[0],
    prompt_id: promptIds[0],
    status: 'queued',
    prompt: 'one',
    progress: 0,
    created_at: expect.any(String),
  });
  await eventually('the count', async () => (await queueOf(rig.app)).total_jobs === 3);
});

test('more than 100 come in pages, each job once; total_jobs counts them all', async () => {
  const start = rig.store.now() - 1000;
  const all = await putJobs(
    rig,
    Array.from({ length: 230 }, (_, index) => ({ createdAt: start + index })),
  );
  await eventually('the count', async () => (await queueOf(rig.app)).total_jobs === 230);
  const pages: string[][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Queue = await queueOf(rig.app, cursor && `?cursor=${cursor}`);
    expect(page.queue.queue_pending.length).toBe(Object.keys(page.jobs).length);
    pages.push(Object.keys(page.jobs));
    cursor = page.next_cursor;
  }
  expect(pages.map((page) => page.length)).toEqual([100, 100, 30]);
  expect(pages.flat()).toEqual(all);
});

test('a cursor of another list is refused', async () => {
  for (const cursor of ['x', 'aGVsZA', Buffer.from('waiting:').toString('base64url')]) {
    const answer = await call(rig.app, `GET /api/queue?cursor=${cursor}`);
    expect([cursor, answer.status]).toEqual([cursor, 400]);
    expect(answer.json).toMatchObject({ code: 'invalid_field', details: { field: 'cursor' } });
  }
});

test('the count that total_jobs comes from is at most a second old, and knows what was accepted since', async () => {
  let time = rig.store.now();
  const queue = createQueue(rig.store.jobs, () => time);
  expect(await queue.count()).toEqual({ waiting: 0, held: 0 });
  const jobId = await rig.generate();
  queue.accepted((await rig.store.jobs.readState(jobId))!);
  expect(await queue.count()).toEqual({ waiting: 1, held: 0 });
  await call(rig.app, `DELETE /api/queue/${jobId}`);
  time += 999;
  expect(await queue.count()).toEqual({ waiting: 1, held: 0 });
  time += 1;
  expect(await queue.count()).toEqual({ waiting: 0, held: 0 });
});

test('a count that takes long is told again while a new one is made', async () => {
  let time = rig.store.now();
  let counts = 0;
  const slow = {
    ...rig.store.jobs,
    countWork: () => {
      time += 500;
      return Promise.resolve((counts += 1));
    },
  };
  const queue = createQueue(slow, () => time);
  const first = await queue.count();
  time += 5000;
  expect(await queue.count()).toEqual(first);
  expect(counts).toBe(2);
  time += 20_000;
  expect(await queue.count()).toEqual(first);
  await eventually('the new count', async () => (await queue.count()).waiting !== first.waiting);
});

test('cancelling a waiting job: 200, cancelled for good, 200 again', async () => {
  const jobId = await rig.generate();
  for (const _ of ['at first', 'again']) {
    const answer = await call(rig.app, `DELETE /api/queue/${jobId}`);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ status: 'success', message: `Job ${jobId} cancelled` });
  }
  expect(await rig.status(jobId)).toMatchObject({
    status: 'cancelled',
    completed_at: expect.any(String),
    queue_position: null,
    waiting_for: null,
    error: null,
  });
  expect((await queueOf(rig.app)).jobs).toEqual({});
});

test('cancelling an unknown job is 404, one that has ended otherwise 409', async () => {
  for (const id of ['550e8400-e29b-41d4-a716-446655440000', 'clear', '..%2f']) {
    const unknown = await call(rig.app, `DELETE /api/queue/${id}`);
    expect(unknown.status).toBe(404);
    expect(unknown.json).toEqual({ error: 'Job not found', code: 'job_not_found' });
  }
  for (const status of ['completed', 'failed'] as const) {
    const jobId = await putJob(rig, { status });
    const ended = await call(rig.app, `DELETE /api/queue/${jobId}`);
    expect(ended.status).toBe(409);
    expect(ended.json).toMatchObject({
      code: 'already_ended',
      error: expect.stringContaining(`it is ${status}`),
    });
    expect((await rig.status(jobId))['status']).toBe(status);
  }
});

test('with a host: what runs is listed as running, cancelling it lets the next one run', async () => {
  host = await rig.addHost({ slots: 1, comfyui: { stepMs: 0 } });
  host.comfyui.faults.hangExecutor = true;
  const running = await rig.generate({ prompt: 'runs' });
  await rig.until(running, ['processing']);
  const waiting = await rig.generate({ prompt: 'waits' });
  expect(await queueOf(rig.app)).toMatchObject({
    queue: {
      queue_running: [[1, await promptIdOf(running)]],
      queue_pending: [[1, await promptIdOf(waiting)]],
    },
    jobs: { [running]: { status: 'processing' }, [waiting]: { status: 'queued' } },
  });
  await eventually('the count', async () => (await queueOf(rig.app)).total_jobs === 2);
  await eventually('the host', async () => (await rig.status(waiting))['waiting_code'] === 'free_slot');

  expect((await call(rig.app, `DELETE /api/queue/${running}`)).status).toBe(200);
  expect((await rig.status(running))['status']).toBe('cancelled');
  host.comfyui.faults.hangExecutor = false;
  await rig.until(waiting, ['completed']);
  expect(await rig.status(running)).toMatchObject({ status: 'cancelled', output_image: null, images: [] });
  await eventually('an empty queue', async () => (await queueOf(rig.app)).total_jobs === 0);
});
