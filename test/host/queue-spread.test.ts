// A queue under several keys, and hosts that look for themselves: all of it is found, no key is left waiting for the others,
// and a host that began before there were several finds what is under them.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MAX_QUEUE_POSITION } from '../../functions/core/limits.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { shardOf, UNSPREAD } from '../../functions/core/queue-spread.ts';
import { eventually } from '../api/support.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { openAt } from '../support/store.ts';

const SHARDS = 4;
let rig: Rig;
let ahead: number;
beforeEach(async () => {
  rig = await startRig({ forward: false });
  ahead = 0;
});
afterEach(() => rig.close());

const spreadOver = (shards: number) =>
  rig.store.spread.write({ ...UNSPREAD, hosts: shards, read: shards, write: shards }, undefined);

const tablesAhead = () => openAt(rig.store, () => rig.store.now() + ahead);

async function generate(count: number): Promise<string[]> {
  const made: string[] = [];
  for (let n = 0; n < count; n += 1) made.push(await rig.generate());
  return made;
}

const completed = async (jobIds: string[]) => {
  const states = await rig.store.jobs.readStates(jobIds, { consistent: true });
  return states.filter(({ status }) => status === 'completed');
};

test('one host serves all keys in turn: no job is overtaken by more than a few of each', async () => {
  await spreadOver(SHARDS);
  const jobIds = await generate(16);
  expect(new Set(jobIds.map((jobId) => shardOf(jobId, SHARDS))).size).toBeGreaterThan(1);
  // Longer than what a host keeps of the queue in mind.
  await rig.addHost({ slots: 1, comfyui: { stepMs: 280 } });
  await eventually('all 16', async () => (await completed(jobIds)).length === 16, 60_000);
  const ran = (await completed(jobIds)).sort((a, b) => a.startedAt! - b.startedAt!);
  // However uneven the keys are: before the k-th job of one key at most a few more than k of any other ran.
  const passed = Array.from({ length: SHARDS }, () => 0);
  for (const { jobId } of ran) {
    const own = shardOf(jobId, SHARDS);
    for (const others of passed) expect(others - passed[own]!).toBeLessThanOrEqual(3);
    passed[own]! += 1;
  }
  // The first of each key is among the first that ran: none waited for another to be empty.
  const firsts = Array.from({ length: SHARDS }, (_, shard) =>
    ran.findIndex(({ jobId }) => shardOf(jobId, SHARDS) === shard),
  ).filter((place) => place >= 0);
  expect(Math.max(...firsts)).toBeLessThan(2 * SHARDS);
}, 90_000);

test('a host that knew of one key alone finds a job under any, once it has been told', async () => {
  const { jobs, spread } = tablesAhead();
  await rig.addHost({ jobs, spread });
  const [before] = await generate(1);
  await eventually('the first', async () => (await completed([before!])).length === 1);
  await spreadOver(SHARDS);
  const random = () => {
    for (;;) {
      const jobId = randomUUID();
      if (shardOf(jobId, SHARDS) === 3) return jobId;
    }
  };
  const fresh = tablesAhead().jobs;
  const { state, request } = (await rig.store.jobs.read(before!))!;
  const { host: _host, endedAt: _ended, listOrder: _order, outputs: _outputs, ...rest } = state;
  const jobId = random();
  await fresh.putRequest({ ...request, jobId }, 9e9);
  await fresh.putState({ ...rest, jobId, status: 'queued', attempt: 0, work: 'waiting' }, 9e9);
  expect((await fresh.listWork('waiting', MAX_QUEUE_POSITION)).map((turn) => turn.jobId)).toEqual([jobId]);
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ status: 'queued', attempt: 0 });
  ahead += TIMINGS.spreadReadEvery;
  await eventually('the job under another key', async () => (await completed([jobId])).length === 1, 15_000);
});
