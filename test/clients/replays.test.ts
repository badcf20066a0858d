// What clients send whose programs are too large to run here, written anew from their sources (November 2026): Open WebUI
// (backend/open_webui/utils/images/comfyui.py), SillyTavern (src/endpoints/stable-diffusion.js), Dify's plugin
// (tools/comfyui/tools/comfyui_client.py) and a node of n8n (mason276752/n8n-nodes-comfyui). What is odd in a request is so in
// theirs. All write their paths behind the address that they are given; those that poll work below the API too.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Graph } from '../../functions/core/object-info.ts';
import { connect, type Said } from '../api/comfyui-wire/client.ts';
import type { Json } from '../api/support.ts';
import { picture, reading, small } from '../api/v2/support.ts';
import { type WithWire, withWire } from '../support/with-wire.ts';

let started: WithWire;
beforeAll(async () => {
  started = await withWire(25);
  await started.start();
});
afterAll(() => started?.close());

interface ListedImage {
  filename: string;
  subfolder: string;
  type: string;
}
type History = Record<
  string,
  {
    outputs: Record<string, { images?: ListedImage[]; gifs?: ListedImage[] }>;
    status: { status_str: string };
  }
>;

async function json<T>(path: string, init?: RequestInit, at = started.url): Promise<T> {
  const answer = await fetch(at + path, init);
  expect([path, answer.status]).toEqual([path, 200]);
  return (await answer.json()) as T;
}
async function isPng(path: string, init?: RequestInit, at = started.url): Promise<void> {
  const answer = await fetch(at + path, init);
  expect([path, answer.status]).toEqual([path, 200]);
  expect(Buffer.from(await answer.arrayBuffer()).toString('latin1', 1, 4)).toBe('PNG');
}
const queryOf = ({ filename, subfolder, type }: ListedImage) =>
  new URLSearchParams({ filename, subfolder, type }).toString();
const isOver =
  (id: string) =>
  ({ type, data }: Said) =>
    type === 'executing' && data['node'] === null && data['prompt_id'] === id;

test('Open WebUI: a key that it does not have, the socket to the end, then the history of the one prompt', async () => {
  const headers = { 'user-agent': 'Mozilla/5.0', authorization: 'Bearer ' };
  const form = new FormData();
  form.append('image', new File([picture()], 'photo.png', { type: 'image/png' }));
  form.append('type', 'input');
  const { name } = await json<{ name: string }>('/api/upload/image', { method: 'POST', body: form });

  const clientId = randomUUID();
  const socket = await connect(started.url, { clientId, headers });
  const graphs: Graph[] = [small('from Open WebUI'), reading(name)];
  for (const prompt of graphs) {
    const from = socket.said.length;
    const { prompt_id: id } = await json<{ prompt_id: string }>('/prompt', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ prompt, client_id: clientId }),
    });
    await socket.until(isOver(id), from);
    const history = (await json<History>(`/history/${id}`, { headers }))[id]!;
    const images = Object.entries(history.outputs).flatMap(([node, { images: listed = [] }]) =>
      prompt[node]?.class_type === 'SaveImage' ? listed : [],
    );
    expect(images).toHaveLength(1);
    await isPng(`/view?${queryOf(images[0]!)}`, { headers });
  }
  await socket.close();
});

const PLACES: [string, () => string][] = [
  ['on a port of its own', () => started.url],
  ['below the API', () => started.polledUrl],
];

test.each(PLACES)(
  'SillyTavern, %s: text that says no type, and the whole history until the prompt is in it',
  async (_, place) => {
    const at = place();
    const nodes = await json<Record<string, { input: { required: Record<string, [string[]]> } }>>(
      '/object_info',
      undefined,
      at,
    );
    for (const [node, input] of [
      ['KSampler', 'sampler_name'],
      ['KSampler', 'scheduler'],
      ['UNETLoader', 'unet_name'],
      ['CheckpointLoaderSimple', 'ckpt_name'],
      ['VAELoader', 'vae_name'],
    ] as const)
      expect(nodes[node]?.input.required[input]?.[0]).toBeInstanceOf(Array);

    const body = JSON.stringify({ prompt: small('from SillyTavern') });
    const { prompt_id: id } = await json<{ prompt_id: string }>('/prompt', { method: 'POST', body }, at);
    let entry: History[string] | undefined;
    while (!entry) {
      entry = (await json<History>('/history', undefined, at))[id];
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(entry.status.status_str).toBe('success');
    const image = Object.values(entry.outputs).flatMap(({ images = [] }) => images)[0]!;
    const query = `filename=${image.filename}&subfolder=${image.subfolder}&type=${image.type}`;
    await isPng(`/view?${query}`, undefined, at);
    // Its user went away.
    expect((await fetch(`${at}/interrupt`, { method: 'POST' })).status).toBe(200);
  },
);

test.each(PLACES)('n8n, %s: the queue until the prompt has left it, then its history', async (_, place) => {
  const at = place();
  const headers = { 'content-type': 'application/json', authorization: 'Bearer a-key-that-is-not-asked-for' };
  await json('/system_stats', { headers }, at);
  const body = JSON.stringify({ prompt: small('from n8n') });
  const { prompt_id: id } = await json<{ prompt_id: string }>(
    '/prompt',
    { method: 'POST', headers, body },
    at,
  );
  for (;;) {
    const queue = await json<Record<string, unknown[][]>>('/queue', { headers }, at);
    if (!['queue_running', 'queue_pending'].some((name) => queue[name]!.some((item) => item[1] === id)))
      break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  // It gives up where the prompt is in neither.
  const { status, outputs } = (await json<History>(`/history/${id}`, { headers }, at))[id]!;
  expect(status).toMatchObject({ status_str: 'success', completed: true });
  const [image] = Object.values(outputs).flatMap(({ images = [] }) => images);
  expect(image!.type).toBe('output');
  await isPng(`/view?${queryOf(image!)}`, { headers }, at);
});

test('Open WebUI and Dify, below the API: both open a socket first, and are refused', async () => {
  await expect(connect(started.polledUrl, { clientId: randomUUID() })).rejects.toThrow('refused with 501');
});

test('Dify: an empty key for partner nodes, a file part that says overwrite, the history by a query that is not read', async () => {
  const folders = await json<string[]>('/models');
  for (const folder of ['checkpoints', 'loras', 'upscale_models']) {
    expect(folders).toContain(folder);
    expect(await json(`/models/${folder}`)).toBeInstanceOf(Array);
  }
  const form = new FormData();
  form.append('image', new File([picture()], 'input.png', { type: 'image/png' }));
  form.append('overwrite', new File(['true'], 'overwrite'));
  const { name } = await json<{ name: string }>('/upload/image', { method: 'POST', body: form });

  const clientId = randomUUID();
  const socket = await connect(started.url, { clientId });
  const sent: Json = { client_id: clientId, prompt: reading(name), extra_data: { api_key_comfy_org: '' } };
  const { prompt_id: id } = await json<{ prompt_id: string }>('/prompt', {
    method: 'POST',
    headers: { 'content-type': '' },
    body: JSON.stringify(sent),
  });
  await socket.until(isOver(id));
  await socket.close();
  const entry = (await json<History>(`/history?prompt_id=${id}`))[id]!;
  const images = Object.values(entry.outputs).flatMap(({ images: all = [], gifs = [] }) => [...all, ...gifs]);
  expect(images).toHaveLength(1);
  await isPng(`/view?${queryOf(images[0]!)}`);
});
