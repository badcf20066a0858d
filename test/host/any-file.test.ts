// Whatever a graph saves or shows becomes the job's outputs: by the guide's API, the Comfy API v2 and ComfyUI's own wire alike
// each is, byte for byte, what ComfyUI's history lists. With COMFYUI=http://127.0.0.1:8188 the graphs run on a real ComfyUI (0.33)
// instead of the simulated one, and some more with them.

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attemptPromptId } from '../../functions/core/names.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { FAILING, GRAPHS as SIMULATED_GRAPHS, REAL_GRAPHS } from '../support/graphs-of-files.ts';
import { type Rig, startRig } from '../support/rig.ts';

interface ListedFile {
  filename: string;
  subfolder: string;
  type: string;
}
type Json = Record<string, unknown>;
type History = Record<
  string,
  {
    outputs: Record<string, Record<string, (ListedFile | string | boolean)[]>>;
    status?: { messages: [string, Json][] };
  }
>;

const REAL = process.env['COMFYUI'];
const GRAPHS = REAL === undefined ? SIMULATED_GRAPHS : { ...SIMULATED_GRAPHS, ...REAL_GRAPHS };
let folder: string;
let rig: Rig;
let comfyui: { url: string };
let simulated: SimulatedComfyUI | undefined;
let before: Server;
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

type Hashes = Record<string, string[]>;

/** What an interface shows of a job that has ended. */
interface Shown {
  status: string;
  types?: string[];
  hashes: Hashes;
}

type Ask = (path: string, init?: RequestInit) => Response | Promise<Response>;
const viaPort: Ask = (path, init) => fetch(rig.url + path, init);
const viaWire: Ask = (path, init) => rig.wire.request(path, init);
const json = async (ask: Ask, path: string, body?: object): Promise<Json> => {
  const init = body && { method: 'POST', body: JSON.stringify(body), headers: JSON_TYPE };
  const answer = await ask(path, init);
  const text = await answer.text();
  expect([path, answer.status, text]).toEqual([path, expect.toSatisfy((status) => status < 300), text]);
  return JSON.parse(text) as Json;
};
const JSON_TYPE = { 'content-type': 'application/json' };

/** Each resolves with the job's id, and what is shown of it in the end. */
const INTERFACES: Record<
  string,
  [(name: string, graph: object) => Promise<string>, (id: string) => Promise<Shown>]
> = {
  guide: [
    (workflow) => rig.generate({ workflow }),
    async (id) => {
      const { status, error, images, output_image, outputs } = await json(viaPort, `/api/status/${id}`);
      const files = outputs as Record<'filename' | 'node' | 'content_type' | 'sha256' | 'url', string>[];
      expect([error, output_image]).toEqual([null, (images as { filename: string }[])[0]?.filename ?? null]);
      const hashes: Hashes = {};
      for (const { filename, node, sha256: hash, url } of files) {
        for (const at of [url, `${rig.url}/api/image/${filename}`])
          expect(sha256(await bytesAt(at))).toBe(hash);
        (hashes[node] ??= []).push(hash);
      }
      return { status: String(status), types: files.map(({ content_type }) => content_type), hashes };
    },
  ],
  v2: [
    async (_, workflow) => String((await json(viaPort, '/api/v2/jobs', { workflow }))['id']),
    async (id) => {
      const { status, outputs } = await json(viaPort, `/api/v2/jobs/${id}`);
      const files = outputs as Record<'node_id' | 'content_type' | 'url' | 'id', string>[];
      const hashes: Hashes = {};
      for (const { node_id, url, id: asset } of files) {
        const bytes = await bytesAt(url);
        expect(await bytesAt(`${rig.url}/api/v2/assets/${asset}/content`)).toEqual(bytes);
        (hashes[node_id] ??= []).push(sha256(bytes));
      }
      return {
        status: status === 'succeeded' ? 'completed' : String(status),
        types: files.map(({ content_type }) => content_type),
        hashes,
      };
    },
  ],
  wire: [
    async (_, prompt) => String((await json(viaWire, '/prompt', { prompt }))['prompt_id']),
    async (id) => {
      const entry = (await json(viaWire, `/history/${id}`))[id] as History[string] & {
        status: { status_str: string };
      };
      const bytesOf = async ({ filename, subfolder, type }: ListedFile) => {
        const query = new URLSearchParams({ filename, subfolder, type }).toString();
        const answer = await rig.wire.request(`/view?${query}`);
        expect(answer.status).toBe(200);
        return Buffer.from(await answer.arrayBuffer());
      };
      const hashes: Hashes = {};
      for (const [node, output] of Object.entries(entry.outputs))
        for (const one of Object.values(output).flat()) {
          if (typeof one === 'boolean') continue;
          (hashes[node] ??= []).push(sha256(typeof one === 'string' ? one : await bytesOf(one)));
        }
      return { status: entry.status.status_str === 'success' ? 'completed' : 'failed', hashes };
    },
  ],
};

describe.each(Object.entries(INTERFACES))('by %s', (_, [submit, shownOf]) => {
  const jobs = new Map<string, string>();
  beforeAll(async () => {
    for (const [name, [graph]] of Object.entries(GRAPHS)) jobs.set(name, await submit(name, graph));
  }, 60_000);

  test.each(Object.entries(GRAPHS))(
    '%s',
    async (name, [, types]) => {
      const jobId = jobs.get(name)!;
      const ended = await rig.until(jobId, ['completed', 'failed', 'cancelled'], 60_000);
      expect(ended).toMatchObject({ status: 'completed', attempts: 1 });
      const shown = await shownOf(jobId);
      expect(shown).toEqual({
        status: 'completed',
        ...(shown.types && { types }),
        hashes: await hashesInHistory(jobId),
      });
    },
    90_000,
  );
});

describe.runIf(REAL)('a graph of which a node fails', () => {
  const failed = async (id: string) => {
    await rig.until(id, ['failed'], 60_000);
    return Object.values(histories[attemptPromptId(id, 1)]!.status!.messages).find(
      ([type]) => type === 'execution_error',
    )![1];
  };

  test('by v2', async () => {
    const id = await INTERFACES['v2']![0]('', FAILING);
    const theirs = await failed(id);
    expect(await json(viaPort, `/api/v2/jobs/${id}`)).toMatchObject({
      status: 'failed',
      outputs: [],
      error: { message: expect.stringContaining(String(theirs['exception_message']).trim()) },
    });
  });

  test('by the wire', async () => {
    const id = await INTERFACES['wire']![0]('', FAILING);
    const { node_id, node_type, exception_message } = await failed(id);
    const entry = (await json(viaWire, `/history/${id}`))[id] as History[string];
    expect(entry).toMatchObject({ outputs: {}, status: { status_str: 'error', completed: false } });
    expect(entry.status!.messages.find(([type]) => type === 'execution_error')![1]).toMatchObject({
      node_id,
      node_type,
      exception_message: expect.stringContaining(String(exception_message).trim()),
    });
  });
});

test.runIf(REAL)(
  'of two outputs of which one is broken the wire runs the other, as ComfyUI does',
  async () => {
    const graph = {
      ...GRAPHS['image']![0],
      7: { class_type: 'SaveImage', inputs: { filename_prefix: 'x' } },
    };
    const direct = (await (
      await fetch(`${comfyui.url}/prompt`, { method: 'POST', body: JSON.stringify({ prompt: graph }) })
    ).json()) as Json;
    const { prompt_id, ...ours } = await json(viaWire, '/prompt', { prompt: graph });
    expect(ours['node_errors']).toEqual(direct['node_errors']);
    const id = String(prompt_id);
    await rig.until(id, ['completed'], 60_000);
    expect((await INTERFACES['wire']![1](id)).hashes).toEqual(await hashesInHistory(id));
  },
);
