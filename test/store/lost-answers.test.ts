// A write whose answer was lost is repeated, and then refused because it was made: what the store says of it, so that
// nobody takes a refusal for a proof.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { apply, claim, complete, type Fence } from '../../functions/core/job.ts';
import { createJobs, type Jobs } from '../../functions/store/jobs.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { HOST, IMAGE, NOW, STATES, STEPS } from '../core/job-states.ts';
import { type Line, tap } from './lost-answers.ts';

let store: TestStore;
let jobs: Jobs;
let line: Line;
beforeAll(async () => {
  store = await startStore();
  line = tap(store.engine);
  jobs = createJobs(line.engine);
});
afterAll(() => store.close());

let made = 0;
async function accepted() {
  made += 1;
  const jobId = `lost-${made}`;
  const state = { ...STATES.waiting, jobId, workOrder: `${NOW}-${made}`, ownerOrder: `${NOW}#${jobId}` };
  await store.jobs.putState(state, 1);
  return state;
}

it('a claim that was made looks refused', async () => {
  const state = await accepted();
  const change = claim(state, HOST, NOW, false);
  const before = line.arrived();
  line.lose(1);
  expect(await jobs.write(state.jobId, change)).toBe(false);
  expect(line.arrived() - before).toBe(2);
  expect(await jobs.readState(state.jobId)).toMatchObject({ ...apply(state, change) });
});

it('a completion that was made looks refused', async () => {
  const state = await accepted();
  const change = claim(state, HOST, NOW, false);
  await jobs.write(state.jobId, change);
  const fence: Fence = { attempt: 1, host: HOST };
  line.lose(1);
  expect(await jobs.write(state.jobId, complete(state, fence, [IMAGE], STEPS, NOW))).toBe(false);
  expect(await jobs.readState(state.jobId)).toMatchObject({ status: 'completed', outputs: [IMAGE] });
});

it('a request that never arrived is made by the repetition', async () => {
  const state = await accepted();
  line.cut(1);
  expect(await jobs.write(state.jobId, claim(state, HOST, NOW, false))).toBe(true);
});

it('a table that never answers is an error, not a refusal', async () => {
  const state = await accepted();
  line.cut(5);
  await expect(jobs.write(state.jobId, claim(state, HOST, NOW, false))).rejects.toThrow('socket hang up');
  expect(await jobs.readState(state.jobId)).toMatchObject({ attempt: 0, work: 'waiting' });
});

it('an acceptance whose answers were lost yields the own request, and a state that is there', async () => {
  const { jobId, owner } = { ...STATES.waiting, jobId: 'lost-parts' };
  const request = { jobId, owner, workflow: 'w', inputs: {}, notes: [], bodyHash: 'mine', staging: [] };
  line.lose(1);
  expect(await jobs.putRequest(request, 1)).toMatchObject({ bodyHash: 'mine' });
  // Over how many keys the queue is spread it asks once in a while: that answer is none of an acceptance.
  await jobs.shards();
  line.lose(1);
  expect(await jobs.putState({ ...STATES.waiting, jobId }, 1)).toBe(false);
  expect(await jobs.read(jobId)).toMatchObject({ state: { status: 'queued' }, request });
});

it('an answer that is lost for good is an error, and the write was made', async () => {
  const silent = tap(store.engine, 1);
  const state = await accepted();
  const change = claim(state, HOST, NOW, false);
  silent.lose(1);
  await expect(createJobs(silent.engine).write(state.jobId, change)).rejects.toThrow('socket hang up');
  expect(await jobs.readState(state.jobId)).toMatchObject({ ...apply(state, change) });
});
