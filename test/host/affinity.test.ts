// Two hosts, two checkpoints, 200 jobs at random: each host keeps to the checkpoint that its ComfyUI has loaded, and no owner's
// job waits longer for that than core/affinity.ts allows.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { PASSED_OVER_AT_MOST } from '../../functions/core/limits.ts';
import type { Sibling } from '../../functions/host/claims/warmth.ts';
import { type Rig, startRig } from '../support/rig.ts';

const CHECKPOINTS = ['a.safetensors', 'b.safetensors'];

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ forward: false });
});
afterEach(() => rig.close());

const graphOf = (checkpoint: string, seed: number) => ({
  '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: checkpoint } },
  '2': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 } },
  '3': { class_type: 'CLIPTextEncode', inputs: { text: String(seed), clip: ['1', 1] } },
  '4': {
    class_type: 'KSampler',
    inputs: {
      model: ['1', 0],
      positive: ['3', 0],
      negative: ['3', 0],
      latent_image: ['2', 0],
      seed,
      steps: 1,
      cfg: 1,
      sampler_name: 'euler',
      scheduler: 'simple',
      denoise: 1,
    },
  },
  '5': { class_type: 'VAEDecode', inputs: { samples: ['4', 0], vae: ['1', 2] } },
  '6': { class_type: 'SaveImage', inputs: { images: ['5', 0], filename_prefix: 'Any' } },
});

async function submit(checkpoint: string, seed: number): Promise<string> {
  const response = await rig.wire.request('/prompt', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: graphOf(checkpoint, seed) }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { prompt_id: string }).prompt_id;
}

test('200 jobs at random: an eighth of the loads, and none is passed over beyond the bound', async () => {
  const made: string[] = [];
  for (let n = 0; n < 200; n += 1) made.push(await submit(CHECKPOINTS[Math.random() < 0.5 ? 0 : 1]!, n));
  const siblings = new Set<Sibling>();
  const options = { siblings, comfyui: { stepMs: 0, checkpoints: CHECKPOINTS, loadMs: 60 } };
  const hosts = await Promise.all([rig.addHost(options), rig.addHost(options)]);
  const { jobs } = rig.store;
  // Not more often: it costs what the hosts need.
  await expect
    .poll(async () => (await jobs.countWork('waiting')) + (await jobs.countWork('held')), {
      interval: 250,
      timeout: 100_000,
    })
    .toBe(0);
  const states = await jobs.readStates(made, { consistent: true });
  expect(states.filter(({ status }) => status !== 'completed')).toEqual([]);
  const loads = hosts.flatMap(({ comfyui }) => comfyui.loads).length;
  // Taken in their order, every second job loads its checkpoint: 106 by the code of before.
  expect(loads).toBeLessThanOrEqual(25);
  const claims = states.sort((x, y) => x.claimedAt! - y.claimedAt!);
  // Two claims of a host may be answered in another order than they were chosen.
  const over = claims.map(
    ({ workOrder }, place) => claims.slice(0, place).filter((before) => before.workOrder > workOrder).length,
  );
  expect(Math.max(...over)).toBeLessThanOrEqual(hosts.length * PASSED_OVER_AT_MOST + hosts.length * 2);
}, 120_000);

test('a job that comes alone goes to the host that has its checkpoint, whichever looks first', async () => {
  const siblings = new Set<Sibling>();
  const options = { siblings, comfyui: { stepMs: 0, checkpoints: CHECKPOINTS } };
  const hosts = [await rig.addHost(options), await rig.addHost(options)];
  const run = async (n: number, looking: typeof hosts) => {
    const jobId = await submit(CHECKPOINTS[n % 2]!, n);
    for (const { running } of looking) running.poll();
    await rig.until(jobId, ['completed']);
  };
  for (let n = 0; n < 20; n += 1) await run(n, n % 3 === 0 ? hosts : hosts.toReversed());
  expect(hosts.map(({ comfyui }) => comfyui.loads.length)).toEqual([1, 1]);
}, 60_000);
