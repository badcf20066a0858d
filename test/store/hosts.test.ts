// The Hosts table: one item for one run of a host, replaced as a whole with every heartbeat.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Host, isAlive } from '../../functions/core/host.ts';
import { createHosts } from '../../functions/store/hosts.ts';
import { TIMINGS } from '../../functions/core/timings.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { HOST, NEXT_RUN, NOW, OTHER } from '../core/job-states.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());
beforeEach(async () => {
  for (const { hostId } of await store.hosts.list()) await store.hosts.remove(hostId);
});

const host = (hostId: string, more: Partial<Host> = {}): Host => ({
  hostId,
  machineId: hostId.split('.')[0]!,
  url: 'http://10.0.0.1:8080',
  state: 'ready',
  slots: 2,
  held: 1,
  models: ['flux2-vae.safetensors'],
  seenAt: NOW + 1,
  startedAt: NOW - 1000,
  simulated: true,
  comfyui: true,
  comfyuiVersion: '0.8.0',
  inventoryHash: 'abc',
  devices: [{ name: 'NVIDIA L4', vram: 23034, vramFree: 20000 }],
  ...more,
});

it('comes back as it was put, and goes an hour after it was last seen', async () => {
  await store.hosts.put(host(HOST));
  expect(await store.hosts.read(HOST)).toEqual({
    ...host(HOST),
    v: 1,
    expiresAt: Math.ceil((NOW + 1) / 1000) + 3600,
  });
});

it('a heartbeat replaces all of it: nothing of the last one stays', async () => {
  await store.hosts.put(host(HOST));
  const { inventoryHash: _, comfyuiVersion: __, ...silent } = host(HOST, { comfyui: false, devices: [] });
  await store.hosts.put(silent);
  const read = await store.hosts.read(HOST);
  expect(read).toMatchObject({ comfyui: false, devices: [] });
  expect(read).not.toHaveProperty('inventoryHash');
});

it('a heartbeat that comes late, after a younger one, changes nothing', async () => {
  expect(await store.hosts.put(host(HOST, { seenAt: NOW + 5000, held: 2 }))).toBe(true);
  expect(await store.hosts.put(host(HOST, { seenAt: NOW, held: 0 }))).toBe(false);
  expect(await store.hosts.read(HOST)).toMatchObject({ seenAt: NOW + 5000, held: 2 });
  // Within one millisecond the later word counts.
  expect(await store.hosts.put(host(HOST, { seenAt: NOW + 5000, state: 'draining' }))).toBe(true);
  expect(await store.hosts.read(HOST)).toMatchObject({ state: 'draining' });
});

it('each run of a machine is a host of its own', async () => {
  await Promise.all([HOST, NEXT_RUN, OTHER].map((hostId) => store.hosts.put(host(hostId))));
  await store.hosts.remove(HOST);
  expect((await store.hosts.list()).map(({ hostId }) => hostId).sort()).toEqual([NEXT_RUN, OTHER]);
  expect(await store.hosts.read(HOST)).toBeUndefined();
});

it('removing what is gone is no error', async () => {
  await store.hosts.remove('never-was');
  expect(await store.hosts.list()).toEqual([]);
});

it('is dead when it was not seen for 45 seconds', () => {
  expect(isAlive(host(HOST, { seenAt: NOW - 44_999 }), NOW, TIMINGS)).toBe(true);
  expect(isAlive(host(HOST, { seenAt: NOW - 45_000 }), NOW, TIMINGS)).toBe(false);
});

it('what offers to it are signed with lies in a table of its own, and goes with its item', async () => {
  await store.hosts.putIntake(HOST, 'a secret', NOW);
  await store.hosts.put(host(HOST));
  expect(JSON.stringify(await store.hosts.list())).not.toContain('a secret');
  const forwarder = createHosts(store.engine);
  expect(await forwarder.readIntake(OTHER)).toBeUndefined();
  expect(await forwarder.readIntake(HOST)).toBe('a secret');
  await store.hosts.remove(HOST);
  expect(await createHosts(store.engine).readIntake(HOST)).toBeUndefined();
});
