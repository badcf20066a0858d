// A ComfyUI whose worker has ended answers all the same: it is known by the head of its queue, which does not move.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createStuckRule, type Head } from '../../functions/host/prompts/stuck.ts';
import type { SimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { type Between, type RigBetween, startBetween } from '../support/between.ts';

describe('the rule', () => {
  const BOUNDS = { idle: 120, least: 100, times: 3, deadline: 600, unknown: 3600 };
  let now = 0;
  let rule: ReturnType<typeof createStuckRule>;
  beforeEach(() => {
    now = 0;
    rule = createStuckRule(BOUNDS, () => now);
  });
  const head = (more: Partial<Head> = {}): Head => ({
    promptId: 'p',
    runs: true,
    ours: { classOf: (node) => `kind of ${node}`, deadline: undefined },
    brokenOff: false,
    ...more,
  });
  const executing = (node: string, promptId = 'p') =>
    rule.observe({ type: 'executing', data: { prompt_id: promptId, node } });
  const lookAt = (at: number, one: Head | undefined) => {
    now = at;
    return rule.poll(one);
  };

  test('a head that waits though nothing runs: a worker would have taken it', () => {
    expect(lookAt(0, head({ runs: false }))).toBeUndefined();
    expect(lookAt(120, head({ runs: false }))).toBeUndefined();
    expect(lookAt(121, head({ runs: false }))).toBe(121);
    expect(lookAt(122, undefined)).toBeUndefined();
  });

  test('a node that was never timed here has an hour', () => {
    lookAt(0, head());
    executing('slow');
    expect(lookAt(3600, head())).toBeUndefined();
    expect(lookAt(3601, head())).toBe(3601);
  });

  test('one that was has three times what it took, and the deadline of its job at least', () => {
    lookAt(0, head());
    executing('slow');
    now = 50;
    executing('next');
    expect(lookAt(60, head({ promptId: 'q' }))).toBeUndefined();
    executing('slow', 'q');
    expect(lookAt(660, head({ promptId: 'q' }))).toBeUndefined();
    expect(lookAt(661, head({ promptId: 'q' }))).toBe(601);
    executing('slow', 'q');
    expect(lookAt(700, head({ promptId: 'q' }))).toBeUndefined();
    const short = { classOf: () => 'kind of slow', deadline: 10 };
    // It has been silent for 601 by now: three times that.
    expect(lookAt(661 + 1803, head({ promptId: 'q', ours: short }))).toBeUndefined();
    expect(lookAt(661 + 1804, head({ promptId: 'q', ours: short }))).toBe(1804);
  });

  test("another person's prompt has an hour, for nothing is heard of it; one that was broken off has no such time", () => {
    lookAt(0, head({ ours: undefined }));
    expect(lookAt(3600, head({ ours: undefined }))).toBeUndefined();
    expect(lookAt(3601, head({ ours: undefined }))).toBe(3601);
    lookAt(4000, head({ promptId: 'r', ours: undefined, brokenOff: true }));
    expect(lookAt(4101, head({ promptId: 'r', ours: undefined, brokenOff: true }))).toBe(101);
  });
});

describe('a host', () => {
  let rig: RigBetween;
  let simulated: SimulatedComfyUI;
  let between: Between;
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stuck-'));
    rig = await startBetween();
    ({ simulated, between } = rig);
  });
  afterEach(async () => {
    await rig.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('says so, has it restarted, gives its jobs back and makes them afterwards', async () => {
    const restarts = join(directory, 'restarts');
    // Prompts are taken, wait and are never run.
    simulated.faults.deadWorker = true;
    const host = await rig.addHost({
      comfyui: between.comfyui,
      stuckBounds: { idle: 1500 },
      restartCommand: `echo restarted >> ${restarts}`,
    });
    const jobs = [
      await rig.generate({ workflow: 'slow', ms: 0 }),
      await rig.generate({ workflow: 'slow', ms: 0 }),
    ];
    await expect
      .poll(async () => (await rig.store.hosts.read(host.running.hostId))?.trouble, { timeout: 10_000 })
      .toMatch(/^comfyui_stuck: .*has not moved for 2 s/);
    const health = await rig.app.request('/api/health');
    expect(health.status).toBe(503);
    expect(((await health.json()) as { trouble: string }).trouble).toMatch(/^comfyui_stuck: /);
    await expect.poll(() => readFile(restarts, 'utf8').catch(() => '')).toBe('restarted\n');
    const states = () => Promise.all(jobs.map(async (jobId) => (await rig.store.jobs.readState(jobId))!));
    await expect
      .poll(async () => (await states()).map(({ work }) => work), { timeout: 10_000 })
      .toEqual(['waiting', 'waiting']);
    expect(await rig.status(jobs[1]!)).toMatchObject({
      waiting_code: 'comfyui_trouble',
      waiting_detail: expect.stringMatching(/^comfyui_stuck/),
    });
    // The head may be what ended the worker: it costs it a fault and no GPU time. What waited behind it, nothing.
    expect((await states()).map(({ lostAttempts }) => lostAttempts).toSorted((a, b) => a - b)).toEqual([
      0, 1,
    ]);
    expect((await states()).map(({ gpuMs }) => gpuMs ?? 0)).toEqual([0, 0]);
    // What the command would have done.
    simulated.faults.forget();
    for (const jobId of jobs)
      expect(await rig.until(jobId, ['completed', 'failed'], 20_000)).toMatchObject({ status: 'completed' });
    expect(await readFile(restarts, 'utf8')).toBe('restarted\n');
  }, 60_000);

  test('that is stopped does not wait for ever for images that are not to be had', async () => {
    const waits = { followed: 1000, stored: 1000 };
    const first = await rig.addHost({ comfyui: between.comfyui, drainWaits: waits });
    between.answer = (request, response) => {
      if (!request.url?.startsWith('/view')) return false;
      response.writeHead(503).end();
      return true;
    };
    const stored = await rig.generate({ workflow: 'slow', ms: 0 });
    await rig.until(stored, ['processing']);
    const start = performance.now();
    await first.running.drain();
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await rig.store.jobs.readState(stored)).toMatchObject({ status: 'queued', work: 'waiting' });
  }, 40_000);
});
