// ComfyUI's wire of `npm start` is killed in the middle of a job, and started again: a client that reconnects as itself hears the
// job to its end, with its image.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../../simulated-comfyui/server.ts';
import { freePort } from '../../support/free-port.ts';
import { build, type Program, startProgram } from '../../support/program.ts';
import { eventually, type Json } from '../support.ts';
import { small } from '../v2/support.ts';
import { connect, endOf } from './client.ts';

let workspace: string;
let comfyui: SimulatedComfyUI;
let port: number;
const started: Program[] = [];

beforeAll(async () => {
  await build();
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  comfyui = await startSimulatedComfyUI({ stepMs: 50 });
  port = await freePort();
});
afterAll(async () => {
  for (const program of started) program.signal('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  await comfyui.close();
  await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
});

async function start(): Promise<Program> {
  const program = startProgram('local', {
    WORKSPACE_PATH: workspace,
    API_PORT: '0',
    COMFYUI_API_PORT: String(port),
    COMFYUI_HOST: '127.0.0.1',
    COMFYUI_PORT: String(comfyui.port),
  });
  started.push(program);
  await program.until(/Stop: Ctrl-C/);
  return program;
}

test('a client that comes back after kill -9 hears its prompt to the end, and gets the image', async () => {
  const url = `http://127.0.0.1:${port}`;
  const first = await start();
  const before = await connect(url, { clientId: 'page' });
  const graph = small('survives');
  graph['8']!.inputs['steps'] = 100;
  const sent = await fetch(`${url}/prompt`, {
    method: 'POST',
    body: JSON.stringify({ prompt: graph, client_id: 'page' }),
  });
  const { prompt_id: id } = (await sent.json()) as { prompt_id: string };
  await before.until(({ type }) => type === 'progress');
  first.signal('SIGKILL');
  expect((await before.ended).code).toBe(1006);
  await first.ended;

  await start();
  const after = await connect(url, { clientId: 'page' });
  const said = await after.until(endOf(id));
  const types = said.filter(({ data }) => data['prompt_id'] === id).map(({ type }) => type);
  expect(types.slice(0, 2)).toEqual(['execution_start', 'execution_cached']);
  expect(types.slice(-3)).toEqual(['executed', 'execution_success', 'executing']);
  const { output } = said.find(({ type }) => type === 'executed')!.data as { output: { images: Json[] } };
  const query = new URLSearchParams(output.images[0] as Record<string, string>).toString();
  const image = await eventually('the image', async () => {
    const answer = await fetch(`${url}/view?${query}`);
    return answer.ok && Buffer.from(await answer.arrayBuffer());
  });
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  // It ran once: the new process has taken over what the old one had posted.
  expect(
    comfyui.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/prompt')),
  ).toHaveLength(1);
  await after.close();
});
