// A queue under several keys is one queue for who asks for it: in one order, counted whole, cleared whole. The store alone
// knows of the keys.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSpreading } from '../../functions/controller/queue-spread.ts';
import { claim, type JobState, release } from '../../functions/core/job.ts';
import { MAX_SHARDS } from '../../functions/core/limits.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { workOrder } from '../../functions/core/names.ts';
import { UNSPREAD } from '../../functions/core/queue-spread.ts';
import { createLog } from '../../functions/log.ts';
import { clearQueue } from '../../functions/queue/clear.ts';
import { createJobs } from '../../functions/store/jobs.ts';
import type { Tables } from '../../functions/store/open.ts';
import { fleetTable, jobsTable } from '../../functions/store/tables.ts';
import { HOST, NOW, STATES } from '../core/job-states.ts';
import { hostItem } from '../support/host-item.ts';
import { openAt, startStore, type TestStore } from '../support/store.ts';

const log = createLog('test', 'error', () => undefined);
let store: TestStore;
let tables: Tables;
/** So far ahead of the tables is the clock of who looks. */
let ahead: number;
beforeEach(async () => {
  store = await startStore();
  ahead = 0;
  tables = openAhead();
});
afterEach(() => store.close());

const now = () => store.now() + ahead;
const openAhead = (): Tables => openAt(store, now);

const spreadOver = (read: number, write = read) =>
  store.spread.write({ ...UNSPREAD, hosts: 4000, read, write }, undefined);

async function accept(turn: number, jobs = tables.jobs): Promise<JobState> {
  const jobId = randomUUID();
  const state = { ...STATES.waiting, jobId, owner: 'anna', createdAt: turn };
  const placed = { ...state, workOrder: workOrder(turn, 1, jobId, 'anna') };
  expect(await jobs.putState(placed, 1)).toBe(true);
  return placed;
}

async function storedKey(jobId: string): Promise<unknown> {
  const item = await store.engine.table(jobsTable).read<{ work?: string }>({ jobId, part: 'state' });
  return item?.work;
}

const ids = (rows: { jobId: string }[]) => rows.map(({ jobId }) => jobId);

test('where nobody has said anything, and under one key, all wait where they always did', async () => {
  const before = await accept(1);
  await spreadOver(1);
  ahead += TIMINGS.spreadReadEvery;
  const after = await accept(2);
  expect([await storedKey(before.jobId), await storedKey(after.jobId)]).toEqual(['waiting', 'waiting']);
});

test('under four keys it is listed in the order of turns, page after page, counted and cleared whole', async () => {
  await spreadOver(4);
  const jobs: JobState[] = [];
  for (let turn = 40; turn > 0; turn -= 1) jobs.unshift(await accept(turn));
  const keys = new Set(await Promise.all(jobs.map(({ jobId }) => storedKey(jobId))));
  expect(keys).toEqual(new Set(['waiting', 'waiting#1', 'waiting#2', 'waiting#3']));

  expect(ids(await tables.jobs.listWork('waiting', 100))).toEqual(ids(jobs));
  const paged: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await tables.jobs.listWork('waiting', 7, after, 'anna');
    paged.push(...ids(page));
    if (page.length < 7) break;
    after = page.at(-1)!.workOrder;
  }
  expect(paged).toEqual(ids(jobs));
  expect(await tables.jobs.countWork('waiting')).toBe(40);
  expect(await tables.jobs.countWork('waiting', 'anna')).toBe(40);
  expect(await tables.jobs.countWork('waiting', 'bob')).toBe(0);
  const cleared = await clearQueue({ jobs: tables.jobs, now }, { until: String(NOW) });
  expect(cleared).toEqual({ cleared: 40, left: false });
});

test('nobody but the index knows: a state waits, whichever way it is read, and comes back to the first', async () => {
  await spreadOver(4);
  let state = await accept(1);
  while ((await storedKey(state.jobId)) === 'waiting') state = await accept(2);
  const { jobId } = state;
  expect(await tables.jobs.readState(jobId)).toMatchObject({ work: 'waiting' });
  expect(await tables.jobs.readStates([jobId], { consistent: true })).toMatchObject([{ work: 'waiting' }]);
  await tables.jobs.putRequest(
    { jobId, owner: 'anna', workflow: 'w', inputs: {}, notes: [], bodyHash: '', staging: [] },
    1,
  );
  expect((await tables.jobs.read(jobId))?.state).toMatchObject({ work: 'waiting' });
  // It was accepted before: under which key is all the same.
  expect(await openAhead().jobs.putState(state, 1)).toBe(false);

  expect(await tables.jobs.write(jobId, claim(state, HOST, NOW, false))).toBe(true);
  const held = (await tables.jobs.readState(jobId))!;
  const fence = { attempt: held.attempt, host: HOST };
  expect(await tables.jobs.write(jobId, release(held, fence, NOW))).toBe(true);
  expect(await storedKey(jobId)).toBe('waiting');
  expect(ids(await tables.jobs.listWork('waiting', 100))).toContain(jobId);
});

test('a job without a request is removed from whichever key', async () => {
  await spreadOver(4);
  let state = await accept(1);
  while ((await storedKey(state.jobId)) === 'waiting') state = await accept(2);
  expect(await tables.jobs.removeWithoutRequest(state.jobId)).toBe(true);
  expect(await tables.jobs.readState(state.jobId)).toBeUndefined();
});

test('who cannot be told puts under the first key, and looks where he last knew', async () => {
  await spreadOver(4);
  expect(await tables.jobs.shards()).toBe(4);
  const deaf = { readCached: () => Promise.reject(new Error('throttled')) };
  const state = await accept(1, createJobs(store.engine, deaf as never));
  expect(await storedKey(state.jobId)).toBe('waiting');
});

function controller(hostsPerShard = 1) {
  const own = openAhead();
  return createSpreading({ ...own, log, now, hostsPerShard });
}

test('the controller spreads over as many keys as the setting asks, readers first, and back', async () => {
  const rounds = controller();
  const at = () => store.spread.read();
  const alive = async (count: number) => {
    for (let n = 0; n < 3; n += 1)
      if (n < count) await store.hosts.put(hostItem(`i-${n}.run`, now()));
      else await store.hosts.remove(`i-${n}.run`);
  };
  await rounds.round();
  expect(await at()).toMatchObject({ hosts: 0, read: 1, write: 1 });
  await alive(3);
  await rounds.round();
  expect(await at()).toMatchObject({ hosts: 3, read: 3, write: 1 });
  ahead += TIMINGS.spreadKnownAfter;
  await alive(3);
  await rounds.round();
  expect(await at()).toMatchObject({ hosts: 3, read: 3, write: 3 });
  ahead += TIMINGS.spreadReadEvery;
  let state = await accept(1);
  while ((await storedKey(state.jobId)) !== 'waiting#2') state = await accept(1);

  await alive(0);
  await rounds.round();
  expect(await at()).toMatchObject({ hosts: 0, read: 3, write: 1 });
  ahead += TIMINGS.spreadKnownAfter;
  await rounds.round();
  // One waits under the last of them.
  expect(await at()).toMatchObject({ read: 3, write: 1 });
  await clearQueue({ jobs: tables.jobs, now }, { until: String(NOW) });
  await rounds.round();
  expect(await at()).toMatchObject({ read: 1, write: 1 });
});

test('of two controllers one is first, and nothing is undone', async () => {
  const was = await store.spread.read();
  expect(await store.spread.write({ ...UNSPREAD, read: 3 }, was)).toBe(true);
  expect(await store.spread.write({ ...UNSPREAD, read: 2 }, was)).toBe(false);
  const read = await store.spread.read();
  expect(await store.spread.write({ ...UNSPREAD, read: 3, write: 2 }, read)).toBe(true);
  expect(await store.spread.write({ ...UNSPREAD, read: 1 }, read)).toBe(false);
  expect(await store.spread.read()).toMatchObject({ read: 3, write: 2 });
});

test('where the item is lost, jobs under any key are found by a controller that begins', async () => {
  await spreadOver(MAX_SHARDS);
  let state = await accept(1);
  while ((await storedKey(state.jobId)) === 'waiting') state = await accept(1);
  await store.engine.table(fleetTable).remove({ fleetId: 'hosts-alive' });
  const blind = openAhead();
  await controller(1000).round();
  ahead += TIMINGS.spreadReadEvery;
  expect(ids(await blind.jobs.listWork('waiting', 100))).toContain(state.jobId);
});
