// Several ComfyUIs on one machine: each has a host of its own, whose name outlives a restart, and one that dies stops no other.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { comfyuiFinding } from '../../functions/cli/doctor/api.ts';
import { localSettings } from '../../functions/config/local.ts';
import { bannerOf } from '../../functions/local/banner.ts';
import { type LocalStack, startLocalStack } from '../../functions/local/local-stack.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { freePort } from '../support/free-port.ts';

let workspace: string;
let comfyuis: SimulatedComfyUI[];
let stack: LocalStack;
let settings: ReturnType<typeof localSettings>;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  comfyuis = await Promise.all([
    startSimulatedComfyUI({ stepMs: 1, checkpoints: ['a.safetensors'] }),
    startSimulatedComfyUI({ stepMs: 1, checkpoints: ['b.safetensors'], lacks: ['LabSlowImage'] }),
  ]);
  settings = localSettings({
    WORKSPACE_PATH: workspace,
    API_PORT: '0',
    COMFYUI_API_PORT: String(await freePort()),
    COMFYUI_URLS: comfyuis.map(({ url }) => url).join(','),
  });
  stack = await startLocalStack(settings);
  await stack.comfyuis;
});
afterEach(async () => {
  await stack.stop();
  await Promise.all(comfyuis.map((comfyui) => comfyui.close()));
  await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
});

interface HostView {
  host_id: string;
  comfyui: string;
  comfyui_url: string | null;
}

async function hosts(): Promise<HostView[]> {
  const answer = await (await fetch(`${stack.url}/api/system`)).json();
  return (answer as { hosts: HostView[] }).hosts;
}

/** Of `<machine>.<run>`, by the address of its ComfyUI. */
const machines = async () =>
  new Map((await hosts()).map((host) => [host.comfyui_url, host.host_id.split('.')[0]]));

async function submit(graph: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${stack.wireUrl}/prompt`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: graph }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function completed(graph: object): Promise<void> {
  const { status, body } = await submit(graph);
  expect({ status, body }).toMatchObject({ status: 200 });
  await expect
    .poll(async () => {
      const answer = await fetch(`${stack.url}/api/status/${String(body['prompt_id'])}`);
      return ((await answer.json()) as { status: string }).status;
    })
    .toBe('completed');
}

const saving = (from: object, nodes: object = {}) => ({
  '1': from,
  ...nodes,
  '9': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Any' } },
});
const plain = (color: number) =>
  saving({ class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color } });
const slow = (seed: number) =>
  saving(
    { class_type: 'LabSlowImage', inputs: { image: ['2', 0], ms: 10, seed } },
    { '2': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: seed } } },
  );
const withCheckpoint = (checkpoint: string, seed: number) =>
  saving(
    { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['2', 2] } },
    {
      '2': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: checkpoint } },
      '3': { class_type: 'EmptyLatentImage', inputs: { width: 64, height: 64, batch_size: 1 + (seed % 2) } },
    },
  );

const prompts = ({ requests }: SimulatedComfyUI) =>
  requests.filter(({ method, path }) => method === 'POST' && path === '/prompt').length;

test('each is named, by the API, the banner and the doctor, and keeps its name over a restart', async () => {
  const urls = comfyuis.map(({ url }) => url);
  const before = await machines();
  expect(new Set(before.keys())).toEqual(new Set(urls));
  expect(new Set(before.values()).size).toBe(2);
  const banner = await bannerOf(stack, settings);
  for (const url of urls) expect(banner).toContain(url);
  expect(await comfyuiFinding(stack.url, undefined, '')).toMatchObject({ kind: 'ok' });

  await stack.stop();
  // In another order.
  settings = { ...settings, COMFYUI_URLS: urls.toReversed().join(',') };
  stack = await startLocalStack(settings);
  await stack.comfyuis;
  expect(await machines()).toEqual(before);
});

test('a job goes to the one that has its nodes and models; what none has is refused with what is missing', async () => {
  for (let n = 0; n < 6; n += 1) await completed(slow(n));
  for (let n = 0; n < 4; n += 1) await completed(withCheckpoint('a.safetensors', n));
  expect([prompts(comfyuis[0]!), prompts(comfyuis[1]!)]).toEqual([10, 0]);
  for (let n = 0; n < 4; n += 1) await completed(withCheckpoint('b.safetensors', n));
  expect([prompts(comfyuis[0]!), prompts(comfyuis[1]!)]).toEqual([10, 4]);

  const { status, body } = await submit(withCheckpoint('c.safetensors', 0));
  expect(status).toBe(400);
  expect(JSON.stringify(body['node_errors'])).toContain('c.safetensors');
  // Each part is somewhere, but no host has both.
  const both = { ...slow(1), ...withCheckpoint('b.safetensors', 0), '4': slow(1)['1'], '8': slow(1)['9'] };
  both['8'] = { class_type: 'SaveImage', inputs: { images: ['4', 0], filename_prefix: 'Other' } };
  both['4'] = { class_type: 'LabSlowImage', inputs: { image: ['1', 0], ms: 10, seed: 1 } };
  expect((await submit(both)).status).toBe(400);
});

test('one that dies stops neither the other nor what comes', async () => {
  await comfyuis[0]!.close();
  for (let n = 0; n < 6; n += 1) await completed(plain(n));
  expect(prompts(comfyuis[1]!)).toBeGreaterThanOrEqual(6);
  await expect
    .poll(async () => (await hosts()).map(({ comfyui_url, comfyui }) => [comfyui_url, comfyui]))
    .toEqual(
      expect.arrayContaining([
        [comfyuis[0]!.url, 'silent'],
        [comfyuis[1]!.url, 'connected'],
      ]),
    );
  const finding = await comfyuiFinding(stack.url, undefined, '');
  expect(finding).toMatchObject({ kind: 'next', says: expect.stringContaining(comfyuis[0]!.url) as string });
});
