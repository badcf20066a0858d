// What the table is told of an attempt that lives, and when it is given up: by progress or its want, not by a machine's
// sleep, and not by a progress that does not rise.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { sweep } from '../../functions/controller/sweep.ts';
import { createWatch } from '../../functions/controller/watch.ts';
import { claim, start } from '../../functions/core/job.ts';
import { type Slots, createSlots } from '../../functions/host/claims/slots.ts';
import { runWatchdog } from '../../functions/host/claims/watchdog.ts';
import type { HeldJob, Stop } from '../../functions/host/claims/held-job.ts';
import { createReports, type Reports } from '../../functions/host/attempt/reports.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';

const MINUTE = 60_000;
const GRAPH = { '1': { class_type: 'KSampler', inputs: {} }, '2': { class_type: 'SaveImage', inputs: {} } };
const fence = { attempt: 1, host: 'machine.run' };

let rig: Rig;
let jobId: string;
let slots: Slots;
let heldJob: HeldJob;
let reports: Reports;
let stopped: Stop | undefined;
let wall: number;
let awake: number;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/bench/workflows', forward: false });
  const { jobs } = rig.store;
  jobId = await rig.generate({ workflow: 'instant' });
  const job = (await jobs.read(jobId))!;
  wall = rig.store.now();
  awake = 0;
  await jobs.write(jobId, claim(job.state, fence.host, wall, true));
  await jobs.write(jobId, start(job.state, fence, wall));
  slots = createSlots(() => 1);
  heldJob = slots.add(jobId);
  const claimed = { ...job, state: (await jobs.readState(jobId))!, fence };
  heldJob.hold(claimed);
  stopped = undefined;
  void heldJob.stopped.then((reason) => {
    stopped = reason;
  });
  const writer = {
    jobs,
    log: rig.log,
    timings: TIMINGS,
    pause: () => Promise.resolve(),
    clientId: () => 'socket',
  };
  const clocks = { now: () => wall, awake: () => awake };
  reports = createReports({ ...writer, ...clocks }, heldJob, claimed, GRAPH);
  heldJob.work('prompt', GRAPH, reports, awake);
});
afterEach(() => rig.close());

const passes = (ms: number) => {
  wall += ms;
  awake += ms;
};

/** A second of the host and a round of the controller. */
async function judged(watch = createWatch(5000)): Promise<void> {
  await runWatchdog(rig.store.jobs, slots, () => awake, TIMINGS);
  await reports.reported();
  await rig.store.hosts.put(hostItem(fence.host, wall));
  const { jobs, hosts } = rig.store;
  await sweep({ jobs, hosts, log: rig.log, now: () => wall, watch, nudge: () => undefined });
}

const pass = (value: number) => reports.progressed({ type: 'progress', data: { node: '1', value, max: 4 } });
const state = async () => (await rig.store.jobs.readState(jobId))!;

test('a node that begins again and again works, though its progress does not rise', async () => {
  for (let minute = 0; minute < 50; minute += 1) {
    passes(MINUTE);
    pass((minute % 4) + 1);
    await judged();
  }
  expect(stopped).toBeUndefined();
  expect(await state()).toMatchObject({ status: 'processing', attempt: 1, lostAttempts: 0 });
});

test('one that says nothing for its deadline is given up by its host, and the table is not told that it lives', async () => {
  pass(1);
  for (let minute = 0; minute < 10; minute += 1) {
    passes(MINUTE);
    await judged();
  }
  expect(stopped).toBeUndefined();
  passes(1);
  await judged();
  expect(stopped).toEqual({ overdue: 'it made no progress within its deadline' });
  const { progressAt } = await state();
  passes(8 * MINUTE);
  await judged();
  // A host that does not act on it is not believed for ever.
  expect(await state()).toMatchObject({ progressAt });
  passes(2 * MINUTE);
  await judged();
  expect(await state()).toMatchObject({ status: 'queued', lostAttempts: 1 });
});

test('a night of sleep is no want of progress', async () => {
  pass(1);
  passes(MINUTE);
  wall += 8 * 60 * MINUTE;
  await judged();
  passes(20_000);
  await judged();
  expect(stopped).toBeUndefined();
  expect(await state()).toMatchObject({ status: 'processing', attempt: 1, lostAttempts: 0 });
});

test.each([25 * 60, -2 * 60])(
  'a clock that jumps by %d minutes ends nothing and freezes nothing',
  async (jump) => {
    const { jobs } = rig.store;
    const waiting = await rig.generate({ workflow: 'instant' });
    await jobs.write(waiting, claim((await jobs.readState(waiting))!, fence.host, wall, true));
    const other = slots.add(waiting);
    const held = (await jobs.read(waiting))!;
    other.hold({ ...held, fence: { attempt: 1, host: fence.host } });
    const uploading = await rig.generate({ workflow: 'instant' });
    await jobs.write(uploading, claim((await jobs.readState(uploading))!, fence.host, wall, true));
    const third = slots.add(uploading);
    third.hold({ ...(await jobs.read(uploading))!, fence: { attempt: 1, host: fence.host } });
    third.upload();
    const broken: Stop[] = [];
    for (const { stopped: reason } of [other, third]) void reason.then((why) => broken.push(why));
    const watch = createWatch(5000);
    pass(1);
    await judged(watch);
    wall += jump * MINUTE;
    for (const value of [2, 3]) {
      passes(2000);
      pass(value);
      await judged(watch);
      // What is seen of it goes on: it is the first of two nodes.
      expect(await state()).toMatchObject({ status: 'processing', attempt: 1, progress: value / 8 });
    }
    passes(15_000);
    await judged(watch);
    expect({ stopped, broken }).toEqual({ stopped: undefined, broken: [] });
    expect(await jobs.readState(waiting)).toMatchObject({ status: 'queued', work: 'held', attempt: 1 });
  },
);

test('a normal job costs no write for it', async () => {
  const { progressAt } = await state();
  for (let second = 0; second < 45; second += 1) {
    passes(1000);
    await judged();
  }
  expect((await state()).progressAt).toBe(progressAt);
});

test('a node that is silent lives for as long as the queue of ComfyUI shows it, up to an hour', async () => {
  for (let minute = 0; minute < 59; minute += 1) {
    passes(MINUTE);
    reports.runs();
    await judged();
  }
  expect(stopped).toBeUndefined();
  expect(await state()).toMatchObject({ status: 'processing', attempt: 1, lostAttempts: 0 });
  passes(2 * MINUTE);
  reports.runs();
  await judged();
  expect(stopped).toEqual({ tooLong: 'The job ran for 3600 s and had not ended' });
});

test('where the template says how long, that is the word, unless nothing can be heard of it', async () => {
  const { jobs } = rig.store;
  const held = { ...heldJob.claimed!, state: { ...heldJob.claimed!.state, deadline: 2 * MINUTE } };
  const writer = {
    jobs,
    log: rig.log,
    timings: TIMINGS,
    pause: () => Promise.resolve(),
    clientId: () => 'socket',
  };
  reports = createReports({ ...writer, now: () => wall, awake: () => awake }, heldJob, held, GRAPH);
  const silentFor = () => awake - heldJob.aliveAt;
  heldJob.posted('an earlier socket');
  passes(3 * MINUTE);
  reports.runs();
  expect(silentFor()).toBe(0);
  heldJob.posted('socket');
  passes(3 * MINUTE);
  reports.runs();
  expect(silentFor()).toBe(3 * MINUTE);
});

test('what has left the queue of ComfyUI runs no longer', async () => {
  passes(5000);
  reports.left();
  passes(30 * MINUTE);
  reports.left();
  expect(heldJob.ranFor()).toBe(5000);
});
