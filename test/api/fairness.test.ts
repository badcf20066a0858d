// Two owners at one queue, with a real host: who has much waiting delays who has little by what runs, no more. And what
// turns that are no times mean for clearing, expiry and the place in the queue.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import type { ApiApp } from '../../functions/api/deps.ts';
import { reconcileUsage } from '../../functions/controller/reconcile-usage.ts';
import { createWatch } from '../../functions/controller/watch.ts';
import { sweep } from '../../functions/controller/sweep.ts';
import { drawKey, type Scope } from '../../functions/core/access.ts';
import type { JobState } from '../../functions/core/job.ts';
import { EXPIRY_SEEN_FOR, JOB_EXPIRES_AFTER } from '../../functions/core/limits.ts';
import { readWorkOrder } from '../../functions/core/names.ts';
import { dayOf, COMMITTED_AFTER } from '../../functions/core/quota.ts';
import { STEP } from '../../functions/core/start-tag.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, eventually, putJobs } from './support.ts';

let rig: Rig;
let app: ApiApp;
let clock = 0;
const now = () => rig.store.now() + clock;
beforeAll(async () => {
  rig = await startRig({ forward: false });
  app = anotherProcess(rig, { now, admit: askForKeys({ keys: rig.store.keys, now }) });
});
afterAll(() => rig.close());

async function keyOf(owner: string, scopes: Scope[] = ['generate', 'read']): Promise<string> {
  const { key, keyId, hash } = drawKey(randomBytes);
  await rig.store.keys.add({ keyId, hash, name: owner, owner, scopes, createdAt: 0 });
  return key;
}

async function generate(key: string, count = 1): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const { json } = await call(app, 'POST /api/generate', {
      json: { prompt: 'a fox', steps: 4, width: 256, height: 256 },
      headers: { 'x-api-key': key },
    });
    ids.push(String(json['job_id']));
  }
  return ids;
}

const stateOf = async (jobId: string) => (await rig.store.jobs.readState(jobId))!;
const ask = (key: string, route: string) => call(app, route, { headers: { 'x-api-key': key } });

test.each([1, 3])(
  'alice has 60 waiting for %i hosts; bob’s one comes after at most one job a slot, and costs him what it took',
  async (hosts) => {
    const [alice, bob] = [await keyOf(`alice-${hosts}`), await keyOf(`bob-${hosts}`)];
    const hers = await generate(alice, 60);
    // Longer than what a host keeps of the queue in mind.
    const started = [];
    for (let n = 0; n < hosts; n += 1)
      started.push(await rig.addHost({ slots: 2, comfyui: { stepMs: 300 }, usdPerHour: 3600 }));
    await eventually(
      'each host at work for a while',
      async () => {
        const states = await rig.store.jobs.readStates(hers, { consistent: true });
        return states.filter(({ status }) => status === 'completed').length >= 2 * hosts;
      },
      20_000,
    );
    const [his] = await generate(bob);
    expect((await ask(bob, `GET /api/status/${his}`)).json['queue_position']).toBeLessThanOrEqual(2 * hosts);
    const ended = await rig.until(his!, ['completed'], 20_000);
    const bobs = await stateOf(his!);
    const between = (await rig.store.jobs.readStates(hers, { consistent: true })).filter(
      ({ claimedAt = Infinity }) => claimedAt > bobs.createdAt && claimedAt < bobs.claimedAt!,
    );
    const left = await rig.store.jobs.countWork('waiting');
    console.log(
      `bob's job was done ${(bobs.endedAt! - bobs.createdAt) / 1000} s after it came, ${between.length} of alice's were claimed before it, ${left} of hers still wait`,
    );
    expect(between.length).toBeLessThanOrEqual(2 * hosts);
    expect(left).toBeGreaterThan(15);

    const settling = { jobs: rig.store.jobs, usage: rig.store.usage, log: rig.log };
    await reconcileUsage({ ...settling, now: () => bobs.createdAt + COMMITTED_AFTER });
    expect(ended['cost_usd']).toBeGreaterThan(0);
    expect(await rig.store.usage.read(`bob-${hosts}`, dayOf(bobs.createdAt))).toMatchObject({
      jobs: 1,
      images: 1,
      uncommitted: 0,
      costMicroUsd: Number(ended['cost_usd']) * 1e6,
    });
    await ask(await keyOf('root', ['admin']), 'POST /api/queue/clear');
    for (const { running } of started) await running.drain();
  },
  60_000,
);

const startTag = (state: JobState) => readWorkOrder(state.workOrder).startTag;

test('a cleared queue takes turns far ahead too, keeps what comes later, and the next turn is not theirs', async () => {
  const [carol, dave] = [await keyOf('carol'), await keyOf('dave')];
  const hers = await generate(carol, 5);
  const his = await generate(dave, 2);
  const first = startTag(await stateOf(hers[0]!));
  expect(startTag(await stateOf(hers[4]!))).toBe(first + 4 * STEP);
  expect(startTag(await stateOf(his[1]!))).toBe(startTag(await stateOf(his[0]!)) + STEP);

  expect((await ask(carol, 'POST /api/queue/clear')).json).toMatchObject({ cleared: 5, remaining: 0 });
  for (const jobId of hers) expect(await stateOf(jobId)).toMatchObject({ status: 'cancelled' });
  for (const jobId of his) expect(await stateOf(jobId)).toMatchObject({ status: 'queued' });
  clock += 1000;
  const [later] = await generate(carol);
  expect(startTag(await stateOf(later!))).toBeLessThan(first + 4 * STEP);
  // A controller that goes on with an older clearing leaves it alone, though its turn comes before others'.
  await rig.store.chores.add({
    kind: 'clear',
    until: String((await stateOf(later!)).createdAt),
    owner: 'carol',
  });
  await rig.finishChores();
  expect(await stateOf(later!)).toMatchObject({ status: 'queued' });
  for (const key of [carol, dave]) await ask(key, 'POST /api/queue/clear');
});

test('a job of yesterday expires, though a thousand younger ones stand before it', async () => {
  const erin = await keyOf('erin');
  const old = await generate(erin, 3);
  const { createdAt } = await stateOf(old[2]!);
  const young = createdAt + JOB_EXPIRES_AFTER;
  // Turns of another owner, before hers.
  const before = startTag(await stateOf(old[0]!)) - 5000;
  const others = await putJobs(
    rig,
    Array.from({ length: 1100 }, (_, index) => ({
      createdAt: young,
      state: {
        workOrder: `${before + index}-${young}-00001-${String(index).padStart(8, '0')}-0123456789abcdef`,
      },
    })),
  );
  const { jobs, hosts } = rig.store;
  // By a controller that has looked for long enough.
  const watch = createWatch(EXPIRY_SEEN_FOR);
  const at = young + 60_000;
  watch.mayJudge(at - EXPIRY_SEEN_FOR);
  watch.polled(at - EXPIRY_SEEN_FOR);
  await sweep({
    jobs,
    hosts,
    log: rig.log,
    now: () => at,
    watch,
    nudge: () => undefined,
  });
  for (const jobId of old)
    expect(await stateOf(jobId)).toMatchObject({ status: 'failed', errorCode: 'expired' });
  for (const state of await jobs.readStates(others, { consistent: true }))
    expect(state.status).toBe('queued');
  // They were accepted a day from now.
  clock += JOB_EXPIRES_AFTER + 60_000;
  await ask(await keyOf('root', ['admin']), 'POST /api/queue/clear');
  await rig.finishChores();
  expect(await jobs.countWork('waiting')).toBe(0);
});

test('the place in the queue is right at once, also where a newcomer comes before others', async () => {
  const [frank, grace] = [await keyOf('frank'), await keyOf('grace')];
  await generate(frank, 5);
  // Beyond what a look at the queue may be old.
  clock += 2000;
  const [hers] = await generate(grace);
  const place = async () => (await ask(grace, `GET /api/status/${hers}`)).json['queue_position'];
  expect(await place()).toBe(2);
  clock += 2000;
  expect(await eventually('read anew', async () => (await place()) === 2)).toBe(true);
});
