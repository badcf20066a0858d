// An hour of running is the most that a job gets. What slept, lay dead or waited for a host meanwhile did not run.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, start } from '../../functions/core/job.ts';
import { call } from '../api/support.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';

const HOUR = 3_600_000;
let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/bench/workflows' });
});
afterEach(() => rig.close());

const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });

test('what has run for an hour ends as failed, is stopped in ComfyUI, and makes room', async () => {
  let passed = 0;
  const { comfyui } = await rig.addHost({ awake: () => performance.now() + passed });
  const endless = await slow(600_000);
  await rig.until(endless, ['processing']);
  const next = await slow(1);
  passed = HOUR;
  const status = await rig.until(endless, ['failed', 'completed', 'queued']);
  expect(status).toMatchObject({
    status: 'failed',
    error: 'The job ran for 3600 s and had not ended',
    error_code: 'took_too_long',
    attempts: 1,
  });
  expect((await rig.store.jobs.readState(endless))!.lostAttempts).toBe(0);
  await rig.until(next, ['completed']);
  const queue = (await (await fetch(`${comfyui.url}/queue`)).json()) as Record<string, unknown[]>;
  expect(queue).toEqual({ queue_running: [], queue_pending: [] });
}, 20_000);

test('a run that asked for less gets less: RunPod’s executionTimeout', async () => {
  let passed = 0;
  await rig.addHost({ awake: () => performance.now() + passed });
  const body = { input: { ms: 600_000 }, policy: { executionTimeout: 6000 } };
  const { json } = await call(rig.app, 'POST /v2/slow/run', { json: body });
  const id = String(json['id']);
  await rig.until(id, ['processing']);
  passed = 6000;
  expect(await rig.until(id, ['failed', 'completed', 'queued'])).toMatchObject({
    error: 'The job ran for 6 s and had not ended',
    error_code: 'took_too_long',
  });
  expect((await call(rig.app, `GET /v2/slow/status/${id}`)).json).toMatchObject({ status: 'TIMED_OUT' });
}, 20_000);

test('a job that started, and then no host was there for hours, is made by the next', async () => {
  const { jobs, hosts, now } = rig.store;
  const jobId = await slow(1);
  const long = now() - 5 * HOUR;
  const fence = { attempt: 1, host: 'gone' };
  const state = (await jobs.readState(jobId))!;
  await jobs.write(jobId, claim(state, fence.host, long, true));
  await jobs.write(jobId, start(state, fence, long));
  await hosts.put(hostItem(fence.host, long));
  await rig.sweep();
  expect(await jobs.readState(jobId)).toMatchObject({ status: 'queued', work: 'waiting', lostAttempts: 1 });
  await rig.addHost();
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempts: 2 });
});

test('a job that makes progress is not taken from a host that lives, however long ago it started', async () => {
  const { jobs, hosts, now } = rig.store;
  const jobId = await slow(1);
  const fence = { attempt: 1, host: 'sleeper' };
  const state = (await jobs.readState(jobId))!;
  await jobs.write(jobId, claim(state, fence.host, now() - 8 * HOUR, true));
  await jobs.write(jobId, start({ ...state, startedAt: now() - 8 * HOUR }, fence, now()));
  await hosts.put(hostItem(fence.host, now()));
  await rig.sweep();
  expect(await jobs.readState(jobId)).toMatchObject({
    status: 'processing',
    lostAttempts: 0,
    host: fence.host,
  });
});
