// A job that no host can run: it is left alone, that is told, and it keeps no machine awake.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { call } from '../api/support.ts';
import { type Rig, startRig, type TestHost } from '../support/rig.ts';

let workflows: string;
let rig: Rig;
let host: TestHost;
beforeEach(async () => {
  workflows = await mkdtemp(join(tmpdir(), 'workflows-'));
  await cp('test/workflows', workflows, { recursive: true });
  const graph = {
    '1': { class_type: 'NobodyHasThis', inputs: {} },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Absent' } },
  };
  await writeFile(join(workflows, 'absent.json'), JSON.stringify(graph));
  await writeFile(join(workflows, 'absent.inputs.json'), '{"title": "Nobody has it", "inputs": {}}');
  const crooked = {
    '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 3], filename_prefix: 'Crooked' } },
  };
  await writeFile(join(workflows, 'crooked.json'), JSON.stringify(crooked));
  await writeFile(join(workflows, 'crooked.inputs.json'), '{"title": "Crooked", "inputs": {}}');
  rig = await startRig({ workflows });
});
afterEach(async () => {
  await rig.close();
  await rm(workflows, { recursive: true });
});

test('it is refused, with what is missing, and accepted where a host may come that has it', async () => {
  await rig.generate({ workflow: 'absent' });
  const { running } = await rig.addHost();
  const send = () => call(rig.app, 'POST /api/generate', { json: { workflow: 'absent' } });
  await expect.poll(send).toMatchObject({
    status: 422,
    json: {
      code: 'no_host_can_run',
      details: {
        missing: [{ node: '1', class_type: 'NobodyHasThis', field: null, value: null, hosts: [] }],
      },
    },
  });
  // One whose models still come says nothing of what it lacks.
  const item = (await rig.store.hosts.read(running.hostId))!;
  await running.drain();
  await rig.store.hosts.put({ ...item, trouble: 'comfyui_starting: its models are still coming' });
  await expect.poll(send, { timeout: 10_000 }).toMatchObject({ status: 202 });
}, 20_000);

test('it is named in the item of the host, its status says so, and others go on', async () => {
  const jobId = await rig.generate({ workflow: 'absent' });
  host = await rig.addHost();
  const item = () => rig.store.hosts.read(host.running.hostId);
  await expect.poll(async () => (await item())?.unrunnable, { timeout: 10_000 }).toEqual([jobId]);
  await rig.until(await rig.generate({ workflow: 'empty' }), ['completed']);
  await expect
    .poll(async () => await rig.status(jobId))
    .toMatchObject({
      status: 'queued',
      attempts: 0,
      waiting_code: 'missing_requirements',
      waiting_for: 'a gpu host with the node class NobodyHasThis for node 1 (no host has it)',
      missing: [{ node: '1', class_type: 'NobodyHasThis', field: null, value: null, hosts: [] }],
      eta_seconds: null,
    });
}, 20_000);

test('its workflow says so before anybody asks for a job, and what ComfyUI would refuse of another', async () => {
  host = await rig.addHost();
  await expect
    .poll(async () => (await call(rig.app, 'GET /api/workflows/absent')).json)
    .toMatchObject({
      missing: [{ node: '1', class_type: 'NobodyHasThis', field: null, value: null, hosts: [] }],
    });
  expect((await call(rig.app, 'GET /api/workflows/crooked')).json).toMatchObject({
    missing: [],
    faults: ['node "2" (SaveImage): "images" links to output 3 of node "1" (EmptyImage), which has 1'],
  });
  expect((await call(rig.app, 'GET /api/workflows/empty')).json).toMatchObject({ missing: [], faults: [] });
});

test('any number of them keeps nobody from working who stands behind', async () => {
  // Not all at once: the tables live in this very process, and would take no connection for as long as it renders.
  for (let made = 0; made < 400; made += 40)
    await Promise.all(Array.from({ length: 40 }, () => rig.generate({ workflow: 'absent' })));
  const behind = await Promise.all(Array.from({ length: 8 }, () => rig.generate({ workflow: 'empty' })));
  host = await rig.addHost();
  for (const jobId of behind) await rig.until(jobId, ['completed'], 30_000);
  await expect
    .poll(async () => (await rig.store.hosts.read(host.running.hostId))!.unrunnable?.length, {
      timeout: 20_000,
    })
    .toBeLessThanOrEqual(90);
}, 60_000);

test('looking at it does not count as work', async () => {
  const jobId = await rig.generate({ workflow: 'absent' });
  host = await rig.addHost();
  const idle = host.running.idleFor();
  expect(host.running.offer(jobId)).not.toBe('no-slot');
  // It stands on the board now, and is not held.
  expect(host.running.idleFor()).toBeGreaterThanOrEqual(idle);
  const since = Date.now();
  // Offered anew in every look, as by a forwarder that knows no better.
  await expect
    .poll(
      () => {
        host.running.offer(jobId);
        return Date.now() - since;
      },
      { timeout: 6000, interval: 5 },
    )
    .toBeGreaterThan(3000);
  expect(host.running.idleFor()).toBeGreaterThan(2900);
}, 20_000);
