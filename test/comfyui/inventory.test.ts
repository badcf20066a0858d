// What a host reports of its ComfyUI: nodes and models, and not the inputs of jobs.

import { expect, test } from 'vitest';
import { createComfyUI } from '../../functions/comfyui/client.ts';
import { takeInventory } from '../../functions/comfyui/inventory.ts';
import { stagedName } from '../../functions/core/names.ts';
import { optionsOf } from '../../functions/core/object-info.ts';
import { createLog } from '../../functions/log.ts';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';

test('a job’s staged input is in no list, a file of the machine is', async () => {
  const simulated = await startSimulatedComfyUI();
  try {
    const comfyui = createComfyUI(simulated.url);
    const bytes = () => ({
      sizeBytes: 1,
      pieces: (async function* () {
        yield Buffer.from('x');
      })(),
    });
    await comfyui.uploadInput(stagedName({ key: 'uploads/x.png' }), bytes());
    await comfyui.uploadInput('photo.png', bytes());
    const { nodes } = await takeInventory(
      comfyui,
      createLog('test', 'error', () => undefined),
    );
    expect(optionsOf(nodes, 'LoadImage', 'image')).toEqual(['photo.png']);
  } finally {
    await simulated.close();
  }
});
