// What a job that waits is told: for what, and how long about.

import { afterEach, beforeEach, expect, test } from 'vitest';
import recordedNodes from '../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { claim, release } from '../../functions/core/job.ts';
import { UNKNOWN_FLEET } from '../../functions/core/fleet.ts';
import { storeInventory } from '../../functions/images/documents.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call } from './support.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ forward: false, settings: { fixedComfyUI: false } });
});
afterEach(() => rig.close());

/** As a process that has read nothing yet. */
async function told(jobId: string) {
  const { json } = await call(anotherProcess(rig, {}), `GET /api/status/${jobId}`);
  return {
    for: json['waiting_for'],
    code: json['waiting_code'],
    ...(json['waiting_detail'] !== null && { detail: json['waiting_detail'] }),
    seconds: json['waiting_seconds'],
    eta: json['eta_seconds'],
  };
}

test('no host is there and none can be started: it says why, and promises nothing', async () => {
  const jobId = await rig.generate();
  expect(await told(jobId)).toEqual({
    for: 'gpu host starting',
    code: 'host_starting',
    seconds: 300,
    eta: 345,
  });
  await rig.store.fleetStore.write({
    ...UNKNOWN_FLEET,
    updatedAt: rig.store.now(),
    blocked: { code: 'quota', reason: 'the account may have 0 vCPUs of this kind', at: rig.store.now() },
  });
  expect(await told(jobId)).toEqual({
    for: 'no gpu host can be started: the account may have 0 vCPUs of this kind',
    code: 'host_blocked',
    detail: 'the account may have 0 vCPUs of this kind',
    seconds: null,
    eta: null,
  });
});

test('a job that came back from a ComfyUI says when it is tried again', async () => {
  const jobId = await rig.generate();
  const now = rig.store.now();
  await rig.store.hosts.put(hostItem('one', now));
  const state = (await rig.store.jobs.readState(jobId))!;
  await rig.store.jobs.write(jobId, claim(state, 'one', now, false));
  const fence = { attempt: 1, host: 'one' };
  await rig.store.jobs.write(jobId, release({ ...state, setbacks: 4 }, fence, now, { spaced: true }));
  const { for: what, seconds, ...rest } = await told(jobId);
  expect(what).toBe(`its next try, in ${String(seconds)} s: a ComfyUI that took it gave it back`);
  expect(Number(seconds)).toBeGreaterThan(0);
  expect(Number(seconds)).toBeLessThanOrEqual(32);
  expect(rest).toEqual({ code: 'retry', eta: null });
});

test('a host that is half way up shortens the wait', async () => {
  const jobId = await rig.generate();
  const now = rig.store.now();
  await rig.store.fleetStore.write({
    ...UNKNOWN_FLEET,
    updatedAt: now,
    desired: 1,
    secondsPerJob: 20,
    secondsPerStart: 240,
    seen: { 'i-1': { firstSeen: now - 120_000 } },
  });
  const { code, seconds, eta } = await told(jobId);
  expect(code).toBe('host_starting');
  expect(Number(seconds)).toBe(Number(eta) - 20);
  expect(Number(eta)).toBeGreaterThanOrEqual(137);
  expect(Number(eta)).toBeLessThanOrEqual(141);
});

test('with hosts up it is the pace that they measure, and the place in the queue', async () => {
  const now = rig.store.now();
  await rig.store.hosts.put(hostItem('one', now, { jobSeconds: 10 }));
  await rig.store.hosts.put(hostItem('two', now, { jobSeconds: 30 }));
  const jobs = [await rig.generate(), await rig.generate(), await rig.generate()];
  const free = { for: 'a free slot', code: 'free_slot', seconds: null };
  expect(await told(jobs[0]!)).toEqual({ ...free, eta: 20 });
  expect(await told(jobs[1]!)).toEqual({ ...free, eta: 20 });
  expect(await told(jobs[2]!)).toEqual({ ...free, eta: 40 });
});

test('a job whose nodes and models are on no one host says where each is', async () => {
  const { graph } = rig.templates.get('flux2_turbo_default')!;
  const now = rig.store.now();
  const jobId = await rig.generate();
  const without = async (hostId: string, lacking: string) => {
    const nodes = Object.fromEntries(Object.entries(recordedNodes).filter(([name]) => name !== lacking));
    const inventoryHash = await storeInventory(rig.images, { nodes, models: {} });
    await rig.store.hosts.put(hostItem(hostId, now, { inventoryHash, unrunnable: [jobId] }));
  };
  const [node, { class_type: classType }] = Object.entries(graph)[0]!;
  const saving = Object.keys(graph).find((id) => graph[id]!.class_type === 'SaveImage')!;
  await without('one', classType);
  await without('two', 'SaveImage');
  const { json } = await call(anotherProcess(rig, {}), `GET /api/status/${jobId}`);
  expect(json['missing']).toEqual([
    { node, class_type: classType, field: null, value: null, hosts: ['two'] },
    { node: saving, class_type: 'SaveImage', field: null, value: null, hosts: ['one'] },
  ]);
  expect(json['waiting_code']).toBe('missing_requirements');
  expect(json['waiting_for']).toMatch(
    new RegExp(`^one gpu host with .*${classType} for node ${node} \\(.*SaveImage for node ${saving} \\(`),
  );
});
