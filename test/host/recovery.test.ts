// What is left when a host process dies: adopted by the next run of the machine, or returned by the controller.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import type { Host } from '../../functions/core/host.ts';
import { claim, start } from '../../functions/core/job.ts';
import { promptTag } from '../../functions/core/prompt-tag.ts';
import { attemptPromptId } from '../../functions/core/names.ts';
import { stamp } from '../../functions/core/render.ts';
import { unpackGraph } from '../../functions/core/request.ts';
import { hostIdOf } from '../../functions/host/claims/recover.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { createStoreClient, engineOf } from '../../functions/store/dynamodb/client.ts';
import { createHosts } from '../../functions/store/hosts.ts';
import { createJobs } from '../../functions/store/jobs.ts';
import { hostItem } from '../support/host-item.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { CREDENTIALS, REGION, startDynamo } from '../support/store.ts';

let rig: Rig;
let comfyui: SimulatedComfyUI;
const machineId = randomUUID();
const formerHost = hostIdOf(machineId, randomUUID());
beforeEach(async () => {
  rig = await startRig({ workflows: 'test/workflows' });
  comfyui = await startSimulatedComfyUI({ stepMs: 5 });
});
afterEach(async () => {
  await rig.close();
  await comfyui.close();
});

const slow = (ms: number) => rig.generate({ workflow: 'slow', ms });

/** What a host that was killed in the middle of a job leaves behind. */
async function leaveBehind(
  jobId: string,
  options: { posted: boolean; started: boolean; ago?: number },
): Promise<void> {
  const { state, request } = (await rig.store.jobs.read(jobId))!;
  const now = rig.store.now() - (options.ago ?? 0);
  expect(await rig.store.jobs.write(jobId, claim(state, formerHost, now, true))).toBe(true);
  const fence = { attempt: 1, host: formerHost };
  if (options.started) expect(await rig.store.jobs.write(jobId, start(state, fence, now))).toBe(true);
  await rig.store.hosts.put(formerItem(now));
  if (options.posted)
    await createComfyUI(comfyui.url).submit({
      graph: stamp(unpackGraph(request.graph!), jobId, 1, []),
      promptId: attemptPromptId(jobId, 1),
      clientId: machineId,
      extraData: promptTag({ machine: machineId, jobId, attempt: 1 }),
    });
}

const formerItem = (seenAt: number) => hostItem(formerHost, seenAt, { machineId, held: 1 });

const nextRun = () => rig.addHost({ machineId, comfyui });

test.each([
  ['started, by the table', { posted: true, started: true }],
  ['posted but not seen to start', { posted: true, started: false }],
])('a job in ComfyUI (%s) is adopted and ends with the same attempt', async (_, options) => {
  const jobId = await slow(1000);
  await leaveBehind(jobId, options);
  await nextRun();
  expect(await rig.until(jobId, ['completed'])).toMatchObject({ attempts: 1 });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 0 });
  expect(await rig.store.hosts.read(formerHost)).toBeUndefined();
});

test('an adopted job shows its life: it runs on past its deadline', async () => {
  // `slow` may be without progress for two seconds.
  const jobId = await slow(5000);
  await leaveBehind(jobId, { posted: true, started: true });
  await nextRun();
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempts: 1 });
});

test('a takeover that breaks off is made again, and keeps what it had adopted', async () => {
  const jobId = await slow(1500);
  await leaveBehind(jobId, { posted: true, started: true });
  let refusals = 0;
  comfyui.faults.answer500 = ['/system_stats'];
  const { hosts } = rig.store;
  const run = rig.addHost({
    machineId,
    comfyui,
    hosts: {
      ...hosts,
      // The last step of a takeover.
      async remove(hostId) {
        if (hostId === formerHost && (refusals += 1) < 3) throw new Error('throttled');
        return hosts.remove(hostId);
      },
    },
  });
  // Known while ComfyUI is silent; what follows is up to its rounds.
  await run;
  comfyui.faults.answer500 = [];
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempts: 1 });
  expect(refusals).toBe(3);
  expect(comfyui.requests.filter(({ path }) => /\/(interrupt|cancel)$/.test(path))).toEqual([]);
}, 15_000);

test('what ended in ComfyUI over night is fetched in the morning', async () => {
  const jobId = await rig.generate({ workflow: 'slow', ms: 0, batch_size: 3 });
  await leaveBehind(jobId, { posted: true, started: true, ago: 8 * 3_600_000 });
  const history = async () =>
    Object.keys((await (await fetch(`${comfyui.url}/history`)).json()) as Record<string, unknown>).length;
  await expect.poll(history).toBe(1);
  await nextRun();
  expect(await rig.until(jobId, ['completed', 'failed'])).toMatchObject({ status: 'completed', attempts: 1 });
});

test('a job that ended in ComfyUI while nobody looked is adopted from its history', async () => {
  const jobId = await slow(0);
  await leaveBehind(jobId, { posted: true, started: true });
  const history = async () =>
    Object.keys((await (await fetch(`${comfyui.url}/history`)).json()) as Record<string, unknown>).length;
  await expect.poll(history).toBe(1);
  await nextRun();
  expect(await rig.until(jobId, ['completed'])).toMatchObject({ attempts: 1 });
});

test('a job that never reached ComfyUI is returned by the controller and runs again, at no fault', async () => {
  const jobId = await slow(0);
  await leaveBehind(jobId, { posted: false, started: false });
  await nextRun();
  await rig.sweep();
  expect(await rig.until(jobId, ['completed'])).toMatchObject({ attempts: 2 });
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({ lostAttempts: 0 });
});

test('a prompt of a job that moved on is removed; what a person queued stays', async () => {
  const jobId = await slow(20_000);
  await leaveBehind(jobId, { posted: true, started: true });
  await rig.app.request(`/api/queue/${jobId}`, { method: 'DELETE' });
  const graph = {
    1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 5 } },
    2: { class_type: 'LabSlowImage', inputs: { image: ['1', 0], ms: 800, seed: 3 } },
    3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'mine' } },
  };
  const person = randomUUID();
  await createComfyUI(comfyui.url).submit({ graph, promptId: person, clientId: 'page', extraData: {} });
  await nextRun();
  const outcome = async () => (await createComfyUI(comfyui.url).history(person))?.status.status_str;
  await expect.poll(outcome, { timeout: 5000 }).toBe('success');
});

test('what another product queued stays, though its workspace is a copy and carries this machine id', async () => {
  const jobId = await slow(200);
  const post = async (seed: number) => {
    const promptId = randomUUID();
    await createComfyUI(comfyui.url).submit({
      graph: {
        1: { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 5 } },
        2: { class_type: 'LabSlowImage', inputs: { image: ['1', 0], ms: 1500, seed } },
        3: { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'theirs' } },
      },
      promptId,
      clientId: 'other',
      // A job that this table has never heard of.
      extraData: promptTag({ machine: machineId, jobId: randomUUID(), attempt: 1 }),
    });
    return promptId;
  };
  const before = await post(1);
  await nextRun();
  const after = await post(2);
  const outcome = async (id: string) => (await createComfyUI(comfyui.url).history(id))?.status.status_str;
  await expect.poll(() => outcome(before), { timeout: 8000 }).toBe('success');
  await expect.poll(() => outcome(after), { timeout: 8000 }).toBe('success');
  await rig.until(jobId, ['completed']);
});

test('the jobs of a host that is not heard of for 45 seconds wait again, at their place', async () => {
  const jobId = await slow(0);
  const order = (await rig.store.jobs.readState(jobId))!.workOrder;
  await leaveBehind(jobId, { posted: false, started: true });
  await rig.sweep();
  expect(await rig.status(jobId)).toMatchObject({ status: 'processing' });
  await rig.store.hosts.remove(formerHost);
  await rig.store.hosts.put(formerItem(rig.store.now() - 46_000));
  await rig.sweep();
  expect(await rig.store.jobs.readState(jobId)).toMatchObject({
    status: 'queued',
    work: 'waiting',
    workOrder: order,
    lostAttempts: 1,
    progress: 0,
  });
});

test('draining finishes what runs, gives back what has not started, and leaves no item', async () => {
  const host = await nextRun();
  const first = await slow(1500);
  await rig.until(first, ['processing']);
  const second = await slow(1500);
  await expect.poll(async () => (await rig.store.jobs.readState(second))?.work).toBe('held');
  await host.running.drain();
  expect(await rig.status(first)).toMatchObject({ status: 'completed', attempts: 1 });
  expect(await rig.store.jobs.readState(second)).toMatchObject({
    status: 'queued',
    work: 'waiting',
    lostAttempts: 0,
  });
  expect(await rig.store.hosts.list()).toEqual([]);
});

// Found by chaos seed 16: a machine was killed and came back while its clock was two minutes behind.
test('a host whose table stumbles at its very end signs off all the same', async () => {
  let refusals = 2;
  const { hosts } = rig.store;
  const host = await rig.addHost({
    hosts: {
      ...hosts,
      async remove(hostId) {
        refusals -= 1;
        if (refusals >= 0) throw new Error('ProvisionedThroughputExceededException');
        await hosts.remove(hostId);
      },
    },
  });
  await host.running.drain();
  expect(refusals).toBe(-1);
  expect(await hosts.read(host.running.hostId)).toBeUndefined();
});

test('a host whose clock is off is not born dead', async () => {
  const store = await startDynamo();
  const client = createStoreClient(
    { endpoint: store.url, region: REGION, credentials: CREDENTIALS },
    () => Date.now() - 120_000,
  );
  const hosts = createHosts(engineOf(client, ''));
  const written: Host[] = [];
  const other = await startRig({ store });
  await other.addHost({
    machineId,
    comfyui,
    jobs: createJobs(engineOf(client, '')),
    hosts: {
      ...hosts,
      async put(host) {
        written.push(host);
        return hosts.put(host);
      },
    },
    now: () => client.clock.now(),
  });
  await other.close();
  client.raw.destroy();
  expect(Math.abs(written[0]!.seenAt - Date.now())).toBeLessThan(5000);
});
