// Whatever a graph saves or shows becomes the job's outputs: each is, byte for byte, what ComfyUI's own history lists. With
// COMFYUI=http://127.0.0.1:8188 the graphs run on a real ComfyUI (0.33) instead of the simulated one.

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attemptPromptId } from '../../functions/core/names.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { type Rig, startRig } from '../support/rig.ts';

type Node = { class_type: string; inputs: Record<string, unknown> };
const node = (class_type: string, inputs: Record<string, unknown>): Node => ({ class_type, inputs });
const image = (batch_size = 1) => node('EmptyImage', { width: 64, height: 48, batch_size, color: 255 });
const audio = (sample_rate = 44_100) => node('EmptyAudio', { duration: 0.5, sample_rate, channels: 2 });
const text = (value: string) => node('PrimitiveString', { value });
const save = (prefix: string, images: [string, number] = ['1', 0]) =>
  node('SaveImage', { images, filename_prefix: prefix });
const video = { 1: image(4), 2: node('CreateVideo', { images: ['1', 0], fps: 8 }) };
const film = (format: string, codec = 'auto') =>
  node('SaveVideo', { video: ['2', 0], filename_prefix: 'video/V', format, 'format.codec': codec });
const webp = { filename_prefix: 'An', fps: 6, lossless: true, quality: 80, method: 'default' };

/** The types of what each is expected to make, in order. */
const GRAPHS: Record<string, [Record<string, Node>, string[]]> = {
  image: [{ 1: image(), 2: save('Pic') }, ['image/png']],
  batch: [{ 1: image(3), 2: save('sub/Pic') }, ['image/png', 'image/png', 'image/png']],
  two_nodes: [{ 1: image(), 12: save('B'), 9: save('A') }, ['image/png', 'image/png']],
  preview: [{ 1: image(2), 2: node('PreviewImage', { images: ['1', 0] }) }, ['image/png', 'image/png']],
  preview_beside_saved: [
    { 1: image(), 2: node('PreviewImage', { images: ['1', 0] }), 3: save('P') },
    ['image/png'],
  ],
  flac: [
    { 1: audio(), 2: node('SaveAudio', { audio: ['1', 0], filename_prefix: 'audio/A' }) },
    ['audio/flac'],
  ],
  mp3: [
    { 1: audio(), 2: node('SaveAudioMP3', { audio: ['1', 0], filename_prefix: 'A', quality: 'V0' }) },
    ['audio/mpeg'],
  ],
  opus: [
    {
      1: audio(48_000),
      2: node('SaveAudioOpus', { audio: ['1', 0], filename_prefix: 'A', quality: '128k' }),
    },
    ['audio/ogg'],
  ],
  preview_audio: [{ 1: audio(), 2: node('PreviewAudio', { audio: ['1', 0] }) }, ['audio/flac']],
  mp4: [{ ...video, 3: film('mp4', 'h264') }, ['video/mp4']],
  mkv: [{ ...video, 3: film('mkv', 'h264') }, ['video/x-matroska']],
  auto: [{ ...video, 3: film('auto') }, ['video/mp4']],
  webm: [
    {
      1: image(4),
      2: node('SaveWEBM', { images: ['1', 0], filename_prefix: 'W', codec: 'vp9', fps: 8, crf: 32 }),
    },
    ['video/webm'],
  ],
  animated_webp: [
    { 1: image(3), 2: node('SaveAnimatedWEBP', { images: ['1', 0], ...webp }) },
    ['image/webp'],
  ],
  still_webp: [{ 1: image(), 2: node('SaveAnimatedWEBP', { images: ['1', 0], ...webp }) }, ['image/webp']],
  shown_text: [{ 1: text('hello, wörld'), 2: node('PreviewAny', { source: ['1', 0] }) }, ['text/plain']],
  no_text: [{ 1: text(''), 2: node('PreviewAny', { source: ['1', 0] }) }, ['text/plain']],
  saved_text: [
    { 1: text('# Title'), 2: node('SaveText', { text: ['1', 0], filename_prefix: 'T', format: 'md' }) },
    ['text/plain', 'text/markdown'],
  ],
  empty_text: [
    { 1: text(''), 2: node('SaveText', { text: ['1', 0], filename_prefix: 'T', format: 'txt' }) },
    ['text/plain', 'text/plain'],
  ],
  latent: [
    {
      1: node('EmptyLatentImage', { width: 64, height: 64, batch_size: 1 }),
      2: node('SaveLatent', { samples: ['1', 0], filename_prefix: 'latents/L' }),
    },
    ['application/octet-stream'],
  ],
  text_beside_image: [
    { 1: image(), 2: node('PreviewAny', { source: ['3', 0] }), 3: text('a caption'), 4: save('I') },
    ['text/plain', 'image/png'],
  ],
  everything: [
    {
      1: image(2),
      2: save('E'),
      3: audio(),
      4: node('SaveAudio', { audio: ['3', 0], filename_prefix: 'E' }),
      5: node('PreviewAny', { source: ['6', 0] }),
      6: text('a note'),
      7: node('CreateVideo', { images: ['1', 0], fps: 8, audio: ['3', 0] }),
      8: node('SaveVideo', { video: ['7', 0], filename_prefix: 'E', format: 'mp4', 'format.codec': 'auto' }),
    },
    ['image/png', 'image/png', 'audio/flac', 'text/plain', 'video/mp4'],
  ],
  ids_of_subgraphs: [
    {
      1: image(),
      '12:10': node('PreviewAny', { source: ['2', 0] }),
      '12:5': save('S'),
      2: text('of a subgraph'),
    },
    ['image/png', 'text/plain'],
  ],
};

interface ListedFile {
  filename: string;
  subfolder: string;
  type: string;
}
type History = Record<string, { outputs: Record<string, Record<string, (ListedFile | string)[]>> }>;

const REAL = process.env['COMFYUI'];
let folder: string;
let rig: Rig;
let comfyui: { url: string };
let simulated: SimulatedComfyUI | undefined;
let before: Server;
/** By workflow. */
const jobs: Record<string, string> = {};
/** By prompt id, what ComfyUI's history had before the host removed it. */
const histories: History = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'any-file-'));
  const workflows = join(folder, 'workflows');
  await mkdir(workflows);
  for (const [name, [graph]] of Object.entries(GRAPHS)) {
    await writeFile(join(workflows, `${name}.json`), JSON.stringify(graph));
    await writeFile(join(workflows, `${name}.inputs.json`), JSON.stringify({ title: name, inputs: {} }));
  }
  if (REAL === undefined) simulated = await startSimulatedComfyUI({ stepMs: 1 });
  comfyui = { url: REAL ?? simulated!.url };
  before = await recorder(comfyui.url);
  rig = await startRig({ workflows });
  const { port } = before.address() as AddressInfo;
  await rig.addHost({ comfyui: { url: `http://127.0.0.1:${port}` } as SimulatedComfyUI });
  for (const workflow of Object.keys(GRAPHS)) jobs[workflow] = await rig.generate({ workflow });
}, 60_000);
afterAll(async () => {
  await rig.close();
  before.closeAllConnections();
  await new Promise((resolve) => before.close(resolve));
  await simulated?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Before ComfyUI: keeps what its history answers. Its WebSocket is left out, so the host polls. */
async function recorder(target: string): Promise<Server> {
  const server = createServer((req, res) => {
    const asked = request(target + req.url!, { method: req.method, headers: req.headers }, (answer) => {
      const isHistory = req.method === 'GET' && req.url!.startsWith('/history/');
      const pieces: Buffer[] = [];
      res.writeHead(answer.statusCode!, answer.headers);
      answer.on('data', (piece: Buffer) => void (isHistory && pieces.push(piece)));
      answer.on('end', () => {
        if (isHistory) Object.assign(histories, JSON.parse(Buffer.concat(pieces).toString()) as History);
      });
      answer.pipe(res);
    });
    asked.on('error', () => res.destroy());
    req.pipe(asked);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const bytesAt = async (url: string) => {
  const answer = await fetch(url);
  expect([url, answer.status]).toEqual([url, 200]);
  return Buffer.from(await answer.arrayBuffer());
};

/** Hashes of all that ComfyUI lists, by node, without the previews beside saved files. */
async function hashesInHistory(jobId: string): Promise<Record<string, string[]>> {
  const { outputs } = histories[attemptPromptId(jobId, 1)]!;
  const all = Object.values(outputs).flatMap((output) => Object.values(output).flat());
  const saves = all.some((one) => typeof one === 'object' && one.type === 'output');
  const hashes: Record<string, string[]> = {};
  for (const [id, output] of Object.entries(outputs))
    for (const [key, shown] of Object.entries(output))
      for (const one of shown) {
        if (typeof one === 'string' && key === 'text') (hashes[id] ??= []).push(sha256(one));
        if (typeof one !== 'object' || (saves && one.type !== 'output')) continue;
        const query = new URLSearchParams({ ...one }).toString();
        (hashes[id] ??= []).push(sha256(await bytesAt(`${comfyui.url}/view?${query}`)));
      }
  return hashes;
}

test.each(Object.entries(GRAPHS))(
  '%s',
  async (workflow, [, types]) => {
    const jobId = jobs[workflow]!;
    await rig.until(jobId, ['completed', 'failed', 'cancelled'], 60_000);
    const status = JSON.parse((await bytesAt(`${rig.url}/api/status/${jobId}`)).toString()) as {
      status: string;
      output_image: string | null;
      images: { filename: string }[];
      outputs: Record<'filename' | 'node' | 'content_type' | 'sha256' | 'url', string>[];
    };
    expect(status).toMatchObject({ status: 'completed', error: null, attempts: 1 });
    expect(status.outputs.map(({ content_type }) => content_type)).toEqual(types);
    expect(status.images).toHaveLength(types.filter((type) => type.startsWith('image/')).length);
    expect(status.output_image).toBe(status.images[0]?.filename ?? null);
    const published: Record<string, string[]> = {};
    for (const { filename, node, sha256: hash, url } of status.outputs) {
      for (const at of [url, `${rig.url}/api/image/${filename}`])
        expect(sha256(await bytesAt(at))).toBe(hash);
      (published[node] ??= []).push(hash);
    }
    expect(published).toEqual(await hashesInHistory(jobId));
  },
  90_000,
);
