// ComfyUI's wire says what the hosts have: nodes, models, machines; all hosts together, and the last ones while none is awake.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { UNKNOWN_FLEET } from '../../../functions/core/fleet.ts';
import type { Inventory } from '../../../functions/core/object-info.ts';
import { storeInventory } from '../../../functions/images/documents.ts';
import type { ApiApp } from '../../../functions/api/deps.ts';
import { appsWith } from '../../support/app.ts';
import { hostItem } from '../../support/host-item.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { call, type Json } from '../support.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ forward: false });
});
afterEach(() => rig.close());

/** As a process that has read nothing yet. */
function another(): ApiApp {
  const { store, images, templates, log, timings } = rig;
  return appsWith({ ...store, images, workflows: { templates, refused: [] }, log, timings }).wire;
}

const get = (path: string, wire = another()) => call<unknown>(wire, `GET ${path}`);

function loader(files: string[], more: object = {}): Inventory {
  return {
    nodes: {
      CheckpointLoaderSimple: {
        input: { required: { ckpt_name: [files, { tooltip: 'the model' }] } },
        output: ['MODEL'],
        output_node: false,
        ...more,
      },
      NewKind: { input: { optional: { name: ['COMBO', { options: files, multiselect: false }] } } },
    },
    models: { checkpoints: files, embeddings: ['styles/ink.v2.pt', 'plain'] },
  };
}

async function putHost(hostId: string, inventory: Inventory, more: object = {}): Promise<string> {
  const inventoryHash = await storeInventory(rig.images, inventory);
  await rig.store.hosts.put(hostItem(hostId, rig.store.now(), { inventoryHash, ...more }));
  return inventoryHash;
}

test.each([
  '/object_info',
  '/api/object_info',
  '/object_info/KSampler',
  '/models',
  '/models/checkpoints',
  '/embeddings',
])('%s is an error as long as no host was ever seen', async (path) => {
  expect(await get(path)).toMatchObject({ status: 503, json: { error: { type: 'nodes_unknown' } } });
});

test('of two hosts it has what either has, and the declarations as they are', async () => {
  await putHost('one', loader(['a.safetensors']));
  await putHost('two', {
    ...loader(['b.safetensors']),
    models: { checkpoints: ['b.safetensors'], loras: [] },
  });
  const both = ['a.safetensors', 'b.safetensors'];
  const { status, json } = await get('/object_info');
  expect(status).toBe(200);
  const { CheckpointLoaderSimple: old, NewKind: newer } = json as Record<string, Json>;
  const [list, extra] = (old!['input'] as Record<string, Record<string, unknown[]>>)['required']![
    'ckpt_name'
  ]!;
  expect((list as string[]).toSorted()).toEqual(both);
  expect(extra).toEqual({ tooltip: 'the model' });
  expect(newer).toMatchObject({ input: { optional: { name: ['COMBO', { multiselect: false }] } } });
  expect(await get('/api/object_info/NewKind')).toMatchObject({ json: { NewKind: newer } });
  expect((await get('/object_info/NoSuch')).json).toEqual({});
  expect((await get('/object_info/constructor')).json).toEqual({});
  expect((await get('/models')).json).toEqual(['checkpoints', 'embeddings', 'loras']);
  expect((await get('/models/checkpoints')).json).toEqual(both);
  expect((await get('/embeddings')).json).toEqual(['plain', 'styles/ink.v2']);
  expect((await another().request('/models/nosuch')).status).toBe(404);
});

test('while no host is awake it is what the last ones had', async () => {
  const hash = await storeInventory(rig.images, loader(['a.safetensors']));
  await rig.store.fleetStore.write({ ...UNKNOWN_FLEET, inventories: [hash] });
  expect(await get('/models/checkpoints')).toMatchObject({ status: 200, json: ['a.safetensors'] });
  expect((await get('/system_stats')).json).toMatchObject({ devices: [] });
});

test('numbers beyond JavaScript’s come as they are', async () => {
  await putHost('one', {
    nodes: { Noise: { input: { required: { seed: ['INT', { max: 18446744073709551615n }] } } } },
    models: {},
  });
  expect(await (await another().request('/object_info')).text()).toContain('"max":18446744073709551615');
});

test('the machines of all hosts are devices, in turn', async () => {
  const device = (name: string) => ({ devices: [{ name, vram: 24576, vramFree: 20480 }] });
  await putHost('one', loader([]), {
    ...device('cuda:0 NVIDIA L4 : cudaMallocAsync'),
    comfyuiVersion: '0.33.0',
  });
  await putHost('two', loader([]), device('cpu'));
  const { json } = await get('/system_stats');
  expect(json).toMatchObject({
    system: { comfyui_version: '0.33.0', ram_total: 0, argv: [] },
    devices: [
      { index: 0, vram_total: 24576 * 2 ** 20, vram_free: 20480 * 2 ** 20 },
      { index: 1, vram_total: 24576 * 2 ** 20 },
    ],
  });
  const { devices } = json as { devices: { type: string }[] };
  expect(devices.map(({ type }) => type).toSorted()).toEqual(['cpu', 'cuda']);
});

test('what it can do, and what it does not', async () => {
  expect((await get('/features')).json).toMatchObject({ max_upload_size: expect.any(Number), assets: false });
  expect((await get('/api/extensions')).json).toEqual([]);
  const freed = await call(another(), 'POST /free', { json: { unload_models: true } });
  expect(freed).toMatchObject({ status: 200, json: { freed: false } });
});
