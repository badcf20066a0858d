// Nothing grows without end: what jobs leave in the table, the bucket and ComfyUI goes when its time has come.

import { keys } from '../../functions/core/names.ts';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inputsOf } from '../../functions/host/inputs/folder.ts';
import { applyRetention } from '../../functions/local/retention.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { createLived } from '../../functions/core/lived-time.ts';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { filesIn } from '../support/files-in.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type EmbeddedStore, startEmbedded } from '../support/store.ts';

const MINUTE = 60_000;
let store: EmbeddedStore;
let rig: Rig;
beforeEach(async () => {
  store = await startEmbedded();
  rig = await startRig({ store, workflows: 'test/workflows', settings: { keep: MINUTE } });
});
afterEach(() => rig.close());

const retain = (now: number, lived = createLived(MINUTE)) =>
  applyRetention({
    lived,
    removeExpired: (asOf) => store.engine.removeExpired(asOf),
    images: rig.images,
    log: rig.log,
    now: () => now,
    keep: MINUTE,
  });

async function stored(): Promise<{ items: number; objects: string[] }> {
  const items = await store.engine.table(jobsTable).readAll(true);
  const objects: string[] = [];
  for await (const { key } of rig.images.list('')) objects.push(key);
  return { items: items.length, objects: objects.filter((key) => !key.startsWith('inventories/')) };
}

test('what is younger stays, what is older goes, in the table as in the bucket', async () => {
  await rig.addHost();
  const jobId = await rig.generate();
  await rig.until(jobId, ['completed']);
  const before = await stored();
  expect(before).toMatchObject({ items: 2 });
  expect(before.objects).toHaveLength(1);
  await retain(Date.now() + MINUTE / 2);
  expect(await stored()).toEqual(before);
  await retain(Date.now() + 2 * MINUTE);
  expect(await stored()).toEqual({ items: 0, objects: [] });
  expect((await rig.app.request(`/api/status/${jobId}`)).status).toBe(404);
  const outputs = (await (await rig.app.request('/api/outputs')).json()) as { total: number };
  expect(outputs.total).toBe(0);
});

test('a clock that jumps by a month makes nothing old enough to go; what has lived through its time goes', async () => {
  await rig.addHost();
  await rig.until(await rig.generate(), ['completed']);
  const before = await stored();
  const lived = createLived(MINUTE);
  const jump = 31 * 24 * 60 * MINUTE;
  for (const at of [0, jump, jump + MINUTE / 2]) await retain(Date.now() + at, lived);
  expect(await stored()).toEqual(before);
  await retain(Date.now() + jump + 1.4 * MINUTE, lived);
  await retain(Date.now() + jump + 2.2 * MINUTE, lived);
  expect(await stored()).toEqual({ items: 0, objects: [] });
});

test('an upload stays as long after its last use', async () => {
  await rig.addHost();
  const { output_image: image } = await rig.until(await rig.generate(), ['completed']);
  const bytes = await (await rig.app.request(`/api/image/${String(image)}`)).arrayBuffer();
  const form = new FormData();
  form.append('image', new File([new Uint8Array(bytes)], 'x.png'));
  const answer = await rig.app.request('/api/upload/image', { method: 'POST', body: form });
  const { name } = (await answer.json()) as { name: string };
  await retain(Date.now() + MINUTE + 1000);
  expect((await stored()).objects).toEqual([keys.upload('local', name)]);
  await retain(Date.now() + 2 * MINUTE);
  expect((await stored()).objects).toEqual([]);
});

test('ComfyUI keeps neither history nor outputs of ended jobs, where its folder is within reach', async () => {
  const comfyui = await startSimulatedComfyUI({ stepMs: 0 });
  const folder = dirname(comfyui.outputDirectory);
  try {
    await rig.addHost({ comfyui, comfyuiPath: folder, inputs: inputsOf(folder, 1, rig.log) });
    const image = await rig.until(await rig.generate(), ['completed']);
    const jobs = await Promise.all(
      [1, 2, 3, 4]
        .map((color) => rig.generate({ color }))
        .concat([rig.generate({ workflow: 'load', image: image['output_image'] })]),
    );
    for (const jobId of jobs) await rig.until(jobId, ['completed']);
    const history = async () =>
      Object.keys((await (await fetch(`${comfyui.url}/history`)).json()) as Record<string, unknown>);
    await expect.poll(history, { timeout: 5000 }).toEqual([]);
    await expect.poll(() => filesIn(comfyui.outputDirectory), { timeout: 5000 }).toEqual([]);
    // For the next job that reads the same.
    expect(await readdir(comfyui.inputDirectory)).toEqual([expect.stringMatching(/^staged-/)]);
  } finally {
    await rig.close();
    rig = await startRig();
    await comfyui.close();
  }
});
