// Which ComfyUI `npm start` takes where nobody says which: real jobs must never become placeholders.
// Source: docs/reports.md.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';

let workspace: string;
let program: Program | undefined;
let comfyui: Server;
let port: number;
/** It takes the connection and says nothing, as one does that is busy or was stopped. */
let silent = false;

beforeAll(() => build());
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
  silent = false;
  comfyui = createServer((req, res) => {
    // What nodes it has stays unknown: a job that it could not run would be refused.
    if (silent || req.url === '/object_info') return;
    const answers: Record<string, unknown> = {
      '/system_stats': { system: { comfyui_version: '0.33.0' }, devices: [] },
      '/queue': { queue_running: [], queue_pending: [] },
      '/models': [],
    };
    res.end(JSON.stringify(answers[req.url ?? ''] ?? {}));
  });
  await new Promise<void>((resolve) => {
    comfyui.listen(0, '127.0.0.1', resolve);
  });
  ({ port } = comfyui.address() as AddressInfo);
});
afterEach(async () => {
  await kill();
  comfyui.closeAllConnections();
  comfyui.close();
  await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
});

async function kill(): Promise<void> {
  program?.signal('SIGKILL');
  await program?.ended;
  program = undefined;
}

/** The API's address and what the banner says of ComfyUI. */
async function start(env: Record<string, string> = {}): Promise<{ url: string; banner: string }> {
  await kill();
  program = startProgram('local', {
    WORKSPACE_PATH: workspace,
    API_PORT: '0',
    COMFYUI_PORT: String(port),
    SIMULATED_STEP_MS: '1',
    ...env,
  });
  const [banner, url] = await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/);
  return { url: url!, banner };
}

async function generate(url: string): Promise<string> {
  const response = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a red fox', steps: 1, width: 256, height: 256 }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { job_id: string }).job_id;
}

const status = async (url: string, jobId: string) =>
  (await (await fetch(`${url}/api/status/${jobId}`)).json()) as Record<string, unknown>;

test('a ComfyUI that is silent for a moment is waited for; its jobs are never simulated', async () => {
  const first = await start();
  expect(first.banner).toContain(`real, at http://127.0.0.1:${port}\n`);

  silent = true;
  const second = await start();
  const jobId = await generate(second.url);
  expect(second.banner).toMatch(/real, at \S+: IT DOES NOT ANSWER YET/);
  expect(second.banner).toContain('This workspace has worked with a real ComfyUI');

  comfyui.closeAllConnections();
  comfyui.close();
  expect((await start()).banner).toMatch(/real, at \S+: IT DOES NOT ANSWER YET/);

  const simulated = await start({ COMFYUI_MODE: 'simulated' });
  expect(simulated.banner).toMatch(/ComfyUI +SIMULATED/);
  const placeholder = await generate(simulated.url);
  await expect
    .poll(async () => (await status(simulated.url, placeholder))['status'], { timeout: 10_000 })
    .toBe('completed');
  expect(await status(simulated.url, jobId)).toMatchObject({
    status: 'queued',
    waiting_code: 'comfyui_kind',
  });
}, 60_000);

test('in a new workspace: silence is a ComfyUI that does not answer yet, no connection is none', async () => {
  silent = true;
  expect((await start()).banner).toMatch(/real, at \S+: IT DOES NOT ANSWER YET[^]*COMFYUI_MODE=simulated/);
  comfyui.closeAllConnections();
  comfyui.close();
  await kill();
  await rm(workspace, { recursive: true, force: true });
  expect((await start()).banner).toMatch(/ComfyUI +SIMULATED/);
}, 60_000);
