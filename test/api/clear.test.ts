// POST /api/queue/clear: what waits when it is called is cancelled, what runs is not.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { finishChores } from '../../functions/controller/chores.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';
import { call, eventually, putJob, putJobs } from './support.ts';

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

const clear = () => call(rig.app, 'POST /api/queue/clear');
const jobsFrom = (start: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ createdAt: start + index }));
const waiting = () => rig.store.jobs.countWork('waiting');

test('an empty queue is cleared too, and a body is not asked for', async () => {
  const answer = await clear();
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({ status: 'success', message: 'Queue cleared', cleared: 0, remaining: 0 });
});

test('a job accepted after it was called is kept', async () => {
  const before = await Promise.all([1, 2, 3].map(() => rig.generate()));
  expect((await clear()).json).toMatchObject({ cleared: 3, remaining: 0 });
  const after = await rig.generate();
  for (const jobId of before) expect((await rig.status(jobId))['status']).toBe('cancelled');
  expect((await rig.status(after))['status']).toBe('queued');
  await clear();
});

test('past 1,000 it says how many remain, and the controller clears them', async () => {
  const start = rig.store.now() - 5000;
  const runs = await putJob(rig, {
    createdAt: start,
    status: 'processing',
    state: { attempt: 1, host: 'h', work: 'held', claimedAt: start, startedAt: start, progressAt: start },
  });
  await putJobs(rig, jobsFrom(start, 1130));
  const { json } = await clear();
  const later = await rig.generate();
  expect(json).toMatchObject({ cleared: 1000, remaining: 130 });
  // The api may be gone by now: the rest is the controller's.
  await rig.finishChores();
  expect(await waiting()).toBe(1);
  expect(await rig.store.chores.list()).toEqual([]);
  expect((await rig.status(runs))['status']).toBe('processing');
  await call(rig.app, `DELETE /api/queue/${runs}`);
  expect((await rig.status(later))['status']).toBe('queued');
  await clear();
});

test('a controller that dies while it clears begins again, and a later call is not forgotten', async () => {
  const start = rig.store.now() - 5000;
  await putJobs(rig, jobsFrom(start, 1030));
  const { jobs, chores, now } = rig.store;
  await clear();
  let writes = 0;
  const dies = {
    ...jobs,
    write(...args: Parameters<typeof jobs.write>) {
      writes += 1;
      return writes > 10 ? Promise.reject(new Error('killed')) : jobs.write(...args);
    },
  };
  const ledger = rig.store.ledgers.of('dies');
  await finishChores({ jobs: dies, chores, log: rig.log, now, ledger });
  await eventually('what was written before it died', async () => (await waiting()) === 20);
  const [first] = await chores.list();
  const again = await chores.add({ kind: 'clear', until: `${first!.until}9` });
  await chores.done(first!);
  expect(await chores.list()).toMatchObject([again]);
  await rig.finishChores();
  expect(await waiting()).toBe(0);
  expect(await chores.list()).toEqual([]);
});

test('with a host: a job that it holds but has not started is cleared, the one that runs goes on', async () => {
  host = await rig.addHost({ slots: 2, comfyui: { stepMs: 0 } });
  host.comfyui.faults.hangExecutor = true;
  const running = await rig.generate({ prompt: 'runs' });
  await rig.until(running, ['processing']);
  const held = await rig.generate({ prompt: 'is held' });
  await eventually('held', async () => (await rig.status(held))['waiting_code'] === 'comfyui_turn');
  const third = await rig.generate({ prompt: 'waits' });

  expect((await clear()).json).toMatchObject({ cleared: 2, remaining: 0 });
  for (const jobId of [held, third]) expect((await rig.status(jobId))['status']).toBe('cancelled');
  host.comfyui.faults.hangExecutor = false;
  expect(await rig.until(running, ['completed'])).toMatchObject({ attempts: 1 });
  expect((await rig.status(held))['status']).toBe('cancelled');
});
