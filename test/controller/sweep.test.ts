// What the controller returns, ends and leaves alone.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { claim, touch, start } from '../../functions/core/job.ts';
import type { JobState } from '../../functions/core/job.ts';
import { sweep } from '../../functions/controller/sweep.ts';
import { createWatch } from '../../functions/controller/watch.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';

const MINUTE = 60_000;
let rig: Rig;
let nudges = 0;
beforeAll(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
});
afterAll(() => rig.close());

const sweepAt = (now: number) =>
  sweep({
    jobs: rig.store.jobs,
    hosts: rig.store.hosts,
    log: rig.log,
    watch: createWatch(5000),
    now: () => now,
    nudge: () => (nudges += 1),
  });

async function held(options: { started: boolean; hostSeen?: number; workflow?: string }): Promise<JobState> {
  const jobId = await rig.generate(options.workflow ? { workflow: options.workflow } : {});
  const host = `host-of-${jobId}`;
  const now = rig.store.now();
  const { state } = (await rig.store.jobs.read(jobId))!;
  await rig.store.jobs.write(jobId, claim(state, host, now, true));
  if (options.started) await rig.store.jobs.write(jobId, start(state, { attempt: 1, host }, now));
  if (options.hostSeen !== undefined) await rig.store.hosts.put(hostItem(host, options.hostSeen));
  return (await rig.store.jobs.readState(jobId))!;
}

const after = (state: JobState) => rig.store.jobs.readState(state.jobId);

test('the jobs of a host that is gone wait again; only a started one loses an attempt', async () => {
  const unstarted = await held({ started: false });
  const started = await held({ started: true });
  const before = nudges;
  await sweepAt(rig.store.now());
  expect(await after(unstarted)).toMatchObject({
    status: 'queued',
    work: 'waiting',
    lostAttempts: 0,
    attempt: 1,
  });
  expect(await after(started)).toMatchObject({
    status: 'queued',
    work: 'waiting',
    lostAttempts: 1,
    attempt: 1,
  });
  expect(nudges).toBe(before + 1);
});

test('a host that was seen 44 seconds ago keeps its jobs, one that was not for 45 loses them', async () => {
  const now = rig.store.now();
  const state = await held({ started: true, hostSeen: now });
  await sweepAt(now + 44_000);
  expect(await after(state)).toEqual(state);
  await sweepAt(now + 45_000);
  expect(await after(state)).toMatchObject({ status: 'queued', lostAttempts: 1 });
});

test('a job without progress for its deadline is returned, by its own deadline where it has one', async () => {
  const now = rig.store.now();
  const state = await held({ started: true });
  const short = await held({ started: true, workflow: 'slow' });
  const host = async (at: number) => {
    for (const { host } of [state, short]) await rig.store.hosts.put(hostItem(host!, at));
  };
  await host(now + 5000);
  await sweepAt(now + 5000);
  expect(await after(short)).toMatchObject({ status: 'queued', lostAttempts: 1 });
  expect(await after(state)).toEqual(state);
  await host(now + 11 * MINUTE);
  await sweepAt(now + 11 * MINUTE);
  expect(await after(state)).toMatchObject({ status: 'queued', lostAttempts: 1 });
});

/** One controller. */
function controller(period = 30 * MINUTE) {
  const watch = createWatch(period);
  const { jobs, hosts } = rig.store;
  const roundAt = (at: number) =>
    sweep({ jobs, hosts, log: rig.log, now: () => at, watch, nudge: () => undefined });
  return {
    roundAt,
    async lookFor(from: number, to: number) {
      for (let at = from; at < to; at += period) await roundAt(at);
      await roundAt(to);
    },
  };
}

test('a clock that jumps expires no job that waits, and takes none from a host that lives', async () => {
  const { jobs, hosts, now } = rig.store;
  const HOUR = 60 * MINUTE;
  const start = now();
  const waiting = await rig.generate();
  const claimed = await held({ started: false, hostSeen: start });
  const { roundAt, lookFor } = controller();
  await roundAt(start);
  const later = start + 25 * HOUR;
  await hosts.put(hostItem(claimed.host!, later));
  await roundAt(later);
  await hosts.put(hostItem(claimed.host!, later + 30_000));
  await roundAt(later + 30_000);
  expect(await after(claimed)).toEqual(claimed);
  // A day that it lives through, less what it had before, ends it all the same.
  await lookFor(later, later + 24 * HOUR - MINUTE);
  expect(await jobs.readState(waiting)).toMatchObject({ status: 'queued' });
  await roundAt(later + 24 * HOUR + MINUTE);
  expect(await jobs.readState(waiting)).toMatchObject({ status: 'failed', errorCode: 'expired' });
});

test('a clock that is set back by two hours holds up no judgement', async () => {
  const start = rig.store.now();
  const { roundAt } = controller(5000);
  await roundAt(start);
  const gone = await held({ started: true });
  const silent = await held({ started: true, hostSeen: start - 130 * MINUTE });
  await roundAt(start - 120 * MINUTE);
  await roundAt(start - 120 * MINUTE + 10_000);
  for (const state of [gone, silent]) expect(await after(state)).toMatchObject({ work: 'waiting' });
});

test('a job that no host claimed for 24 hours ends as expired, by a controller that has polled for an hour', async () => {
  const jobId = await rig.generate();
  const created = (await rig.store.jobs.readState(jobId))!.createdAt;
  const dayAfter = created + 24 * 60 * MINUTE;
  await sweepAt(dayAfter + 60 * MINUTE);
  const { lookFor } = controller();
  await lookFor(dayAfter - 70 * MINUTE, dayAfter - 1000);
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ status: 'queued' });
  await lookFor(dayAfter + 1000, dayAfter + 1000);
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ status: 'failed', errorCode: 'expired' });
  expect(await rig.status(jobId)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('24 hours') as string,
    queue_position: null,
  });
});

test('a host that moved on between the read and the write keeps what it did', async () => {
  const state = await held({ started: false });
  const { jobs } = rig.store;
  // The write of the sweep comes after the host has started the job.
  const racing = {
    ...jobs,
    write: async (...args: Parameters<typeof jobs.write>) => {
      if (args[1].verb === 'sweep')
        await jobs.write(state.jobId, start(state, { attempt: 1, host: state.host! }, rig.store.now()));
      return jobs.write(...args);
    },
  };
  await sweep({
    jobs: racing,
    hosts: rig.store.hosts,
    log: rig.log,
    watch: createWatch(5000),
    now: rig.store.now,
    nudge: () => undefined,
  });
  expect(await after(state)).toMatchObject({ status: 'processing', host: state.host, lostAttempts: 0 });
});

test('a host that lived when it was read keeps its jobs, however long the answers and the writes take', async () => {
  const { jobs, hosts } = rig.store;
  const start = rig.store.now();
  const lost = await held({ started: true });
  const kept = await held({ started: true, hostSeen: start });
  let late = 0;
  const slowly = async <T>(answer: Promise<T>): Promise<T> => {
    const result = await answer;
    late += MINUTE;
    return result;
  };
  await sweep({
    jobs: {
      ...jobs,
      listWork: (...args) => slowly(jobs.listWork(...args)),
      write: (...args) => slowly(jobs.write(...args)),
    },
    hosts: { ...hosts, list: () => slowly(hosts.list()) },
    log: rig.log,
    watch: createWatch(5000),
    now: () => start + late,
    nudge: () => undefined,
  });
  expect(late).toBeGreaterThanOrEqual(3 * MINUTE);
  expect(await after(lost)).toMatchObject({ status: 'queued', lostAttempts: 1 });
  expect(await after(kept)).toEqual(kept);
});

test('a sign of life between the read and the write refutes that a job hangs', async () => {
  const now = rig.store.now() + 11 * MINUTE;
  const state = await held({ started: true, hostSeen: now });
  const { jobs } = rig.store;
  await sweep({
    jobs: {
      ...jobs,
      write: async (jobId, change) => {
        await jobs.write(jobId, touch({ attempt: 1, host: state.host! }, now));
        return jobs.write(jobId, change);
      },
    },
    hosts: rig.store.hosts,
    log: rig.log,
    watch: createWatch(5000),
    now: () => now,
    nudge: () => undefined,
  });
  expect(await after(state)).toEqual({ ...state, progressAt: now });
});

test('after an outage no host is judged by silence before all had the time for a heartbeat', async () => {
  const { jobs, hosts, now } = rig.store;
  const start = now();
  const state = await held({ started: true, hostSeen: start });
  const gone = await held({ started: false });
  const watch = createWatch(5000);
  const roundAt = (at: number) =>
    sweep({ jobs, hosts, log: rig.log, now: () => at, watch, nudge: () => undefined });
  await roundAt(start);
  // Two minutes in which no round succeeded and no heart was heard.
  await roundAt(start + 2 * MINUTE);
  expect(await after(state)).toEqual(state);
  // A job without any host is not judged by silence.
  expect(await after(gone)).toMatchObject({ work: 'waiting' });
  await roundAt(start + 2 * MINUTE + 5000);
  expect(await after(state)).toEqual(state);
  await roundAt(start + 2 * MINUTE + 10_000);
  expect(await after(state)).toMatchObject({ status: 'queued', lostAttempts: 1 });
});

test('items of hosts that were not heard of for an hour are forgotten', async () => {
  const now = rig.store.now();
  await rig.store.hosts.put(hostItem('old', now - 61 * MINUTE));
  await rig.store.hosts.put(hostItem('young', now - 59 * MINUTE));
  await sweepAt(now);
  const ids = (await rig.store.hosts.list()).map(({ hostId }) => hostId);
  expect(ids).toContain('young');
  expect(ids).not.toContain('old');
});
