// A graph is checked while no GPU host is awake: against what the last ones had.

import { afterAll, beforeAll, expect, test } from 'vitest';
import recordedNodes from '../../../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import { UNKNOWN_FLEET } from '../../../functions/core/fleet.ts';
import type { Graph } from '../../../functions/core/object-info.ts';
import { storeInventory } from '../../../functions/images/documents.ts';
import { type Rig, startRig } from '../../support/rig.ts';
import { anotherProcess, call } from '../support.ts';
import { small } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false, settings: { fixedComfyUI: false } });
});
afterAll(() => rig.close());

/** As a process that has read nothing yet. */
const submit = (workflow: Graph) =>
  call(anotherProcess(rig, {}), 'POST /api/v2/jobs', { json: { workflow } });

function changed(node: string, inputs: Record<string, unknown>): Graph {
  const graph = small('a fox');
  Object.assign(graph[node]!.inputs, inputs);
  return graph;
}

test('what the last hosts would refuse is refused, but for what another may have', async () => {
  const wrong = changed('8', { steps: 0 });
  expect((await submit(wrong)).status).toBe(201);

  const inventory = { nodes: recordedNodes as never, models: {} };
  const hash = await storeInventory(rig.images, inventory);
  await rig.store.fleetStore.write({ ...UNKNOWN_FLEET, updatedAt: rig.store.now(), inventories: [hash] });

  const refused = await submit(wrong);
  expect(refused.status).toBe(422);
  expect(refused.json['error']).toMatchObject({
    code: 'invalid_workflow',
    details: { node_errors: { '8': [{ field: 'steps', reason: 'value_smaller_than_min' }] } },
  });
  expect((await submit(small('a fox'))).status).toBe(201);
  expect((await submit(changed('1', { unet_name: 'new.safetensors' }))).status).toBe(201);
  const other = { ...small('a fox'), '99': { class_type: 'NewNode', inputs: {} } };
  expect((await submit(other)).status).toBe(201);
});
