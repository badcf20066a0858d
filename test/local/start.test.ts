// `npm start` as a process: what it says, what it survives, and what it refuses with one line.

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startSimulatedComfyUI } from '../../functions/local/simulated-comfyui/server.ts';
import { build, childrenOf, isAlive, type Program, startProgram } from '../support/program.ts';

let workspace: string;
let started: Program[] = [];
beforeAll(() => build());
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'workspace-'));
});
afterEach(async () => {
  for (const program of started) program.signal('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  started = [];
  await rm(workspace, { recursive: true, force: true, maxRetries: 10 });
});

function start(env: Record<string, string> = {}): Program {
  const program = startProgram('local', {
    WORKSPACE_PATH: workspace,
    API_PORT: '0',
    SIMULATED_STEP_MS: '5',
    COMFYUI_MODE: 'simulated',
    ...env,
  });
  started.push(program);
  return program;
}

async function up(program: Program): Promise<string> {
  return (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;
}

async function generate(url: string, body: Record<string, unknown> = {}): Promise<string> {
  const response = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 320, steps: 4, ...body }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { job_id: string }).job_id;
}

async function status(url: string, jobId: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/status/${jobId}`)).json()) as Record<string, unknown>;
}

async function completed(url: string, jobId: string): Promise<string> {
  await expect.poll(async () => (await status(url, jobId))['status'], { timeout: 15_000 }).toBe('completed');
  const name = String((await status(url, jobId))['output_image']);
  const image = await fetch(`${url}/api/image/${name}`);
  const png = PNG.sync.read(Buffer.from(await image.arrayBuffer()));
  expect([png.width, png.height]).toEqual([256, 320]);
  return name;
}

test('the banner says what runs, and the line it gives makes an image', async () => {
  const program = start();
  const url = await up(program);
  expect(program.output()).toMatch(/ComfyUI\s+SIMULATED/);
  expect(program.output()).toContain('flux2_turbo_default, flux2_turbo_controlnet, flux2_turbo_upscale');
  const pasted = /curl -X POST (\S+) -H '([^']+)' -d '([^']+)'/.exec(program.output())!;
  const [name, value] = pasted[2]!.split(': ');
  const response = await fetch(pasted[1]!, {
    method: 'POST',
    headers: { [name!]: value! },
    body: pasted[3]!,
  });
  expect(response.status).toBe(202);
  const { job_id: jobId } = (await response.json()) as { job_id: string };
  await expect.poll(async () => (await status(url, jobId))['status'], { timeout: 10_000 }).toBe('completed');
  program.signal('SIGINT');
  expect(await program.ended).toBe(0);
});

test('after kill -9 of everything a new start has every job, every image, and finishes what ran', async () => {
  const first = start({ SIMULATED_STEP_MS: '200' });
  const url = await up(first);
  const done = await generate(url, { steps: 1 });
  const name = await completed(url, done);
  const running = await generate(url, { steps: 20 });
  const waiting = await Promise.all([1, 2, 3].map((seed) => generate(url, { seed, steps: 1 })));
  await expect.poll(async () => (await status(url, running))['status']).toBe('processing');
  const children = await childrenOf(first.pid);
  expect(children).toHaveLength(2);
  for (const pid of [first.pid, ...children]) process.kill(pid, 'SIGKILL');
  await first.ended;

  const again = await up(start());
  expect(await status(again, done)).toMatchObject({ status: 'completed', output_image: name });
  expect((await fetch(`${again}/api/image/${name}`)).status).toBe(200);
  for (const jobId of [running, ...waiting]) await completed(again, jobId);
  const outputs = (await (await fetch(`${again}/api/outputs`)).json()) as { total: number };
  expect(outputs.total).toBe(5);
}, 40_000);

test('the children end when their parent is killed', async () => {
  const program = start();
  await up(program);
  const children = await childrenOf(program.pid);
  expect(children).toHaveLength(2);
  program.signal('SIGKILL');
  await program.ended;
  await expect.poll(() => children.filter(isAlive), { timeout: 5000 }).toEqual([]);
});

test('SIGTERM ends it at once, however busily a client polls', async () => {
  const program = start();
  const url = await up(program);
  let polling = true;
  const poll = (async () => {
    while (polling)
      await fetch(`${url}/api/health`).then(
        (response) => response.text(),
        () => undefined,
      );
  })();
  const before = performance.now();
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(performance.now() - before).toBeLessThan(3000);
  polling = false;
  await poll;
});

test('the embedded DynamoDB comes back when it dies, and no job is lost', async () => {
  const program = start();
  const url = await up(program);
  const before = await generate(url);
  const [dynamodb] = await childrenOf(program.pid);
  process.kill(dynamodb!, 'SIGKILL');
  await completed(url, before);
  await completed(url, await generate(url));
}, 30_000);

test('a real ComfyUI that is meant but silent: jobs are accepted, and made when it comes', async () => {
  const comfyui = await startSimulatedComfyUI({ stepMs: 1 });
  const { port } = comfyui;
  await comfyui.close();
  const program = start({ COMFYUI_HOST: '127.0.0.1', COMFYUI_PORT: String(port), COMFYUI_MODE: 'auto' });
  const url = await up(program);
  expect(program.output()).toMatch(/DOES NOT ANSWER YET/);
  const jobId = await generate(url);
  const health = await fetch(`${url}/api/health`);
  expect(health.status).toBe(503);
  expect(await health.json()).toMatchObject({ status: 'unhealthy', error: 'ComfyUI not responding' });
  const late = await startSimulatedComfyUI({ stepMs: 1, port });
  try {
    await completed(url, jobId);
    expect(await status(url, jobId)).toMatchObject({ simulated: true });
    await expect.poll(async () => (await fetch(`${url}/api/health`)).status).toBe(200);
  } finally {
    await late.close();
  }
}, 30_000);

test('links point to PUBLIC_URL where it is set', async () => {
  const url = await up(start({ PUBLIC_URL: 'https://images.example.com' }));
  const jobId = await generate(url);
  await completed(url, jobId);
  const [image] = (await status(url, jobId))['images'] as { url: string }[];
  expect(image!.url).toMatch(/^https:\/\/images\.example\.com\/images\//);
});

test('a fourth workflow is two files and no code', async () => {
  const workflows = join(workspace, 'workflows');
  await cp('workflows', workflows, { recursive: true });
  await cp('test/workflows/slow.json', join(workflows, 'my_own.json'));
  await cp('test/workflows/slow.inputs.json', join(workflows, 'my_own.inputs.json'));
  const url = await up(start({ WORKFLOWS_PATH: workflows }));
  expect(await (await fetch(`${url}/api/workflows`)).json()).toMatchObject({ total: 4 });
  const response = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ workflow: 'my_own', prompt: 'mine', ms: 10 }),
  });
  const { job_id: jobId } = (await response.json()) as { job_id: string };
  await expect.poll(async () => (await status(url, jobId))['status'], { timeout: 10_000 }).toBe('completed');
  expect(await status(url, jobId)).toMatchObject({ workflow: 'my_own', prompt: 'mine' });
});

describe('one line and exit 1', () => {
  async function refused(env: Record<string, string>): Promise<string> {
    const program = start(env);
    expect(await program.ended).toBe(1);
    expect(program.output().trim().split('\n')).toHaveLength(1);
    return program.stderr().trim();
  }

  test('for a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    try {
      expect(await refused({ API_PORT: String(port) })).toBe(
        `Port ${port} is in use; set API_PORT to another, such as ${port + 1}`,
      );
    } finally {
      server.close();
    }
  });

  test('for a workspace that a live process uses', async () => {
    const url = await up(start());
    expect(await refused({})).toBe(
      `The workspace ${workspace} is used by the API at ${url}; stop that one, or set WORKSPACE_PATH to another folder`,
    );
  });

  test.each([
    ['API_PORT', 'five', 'must be a port from 0 to 65535'],
    ['COMFYUI_PORT', '70000', 'must be a port from 0 to 65535'],
    ['COMFYUI_MODE', 'fake', 'must be auto, real or simulated'],
    ['DEBUG', 'perhaps', 'must be true or false'],
    ['SIMULATED_STEP_MS', '-1', 'must be a whole number of milliseconds from 0 to 60000'],
    ['PUBLIC_URL', 'images', 'must be an address such as https://images.example.com'],
    ['API_HOST', '203.0.113.7', 'is no address of this machine'],
    ['WORKFLOWS_PATH', '/nowhere', 'must be a folder with workflows'],
    ['WORKSPACE_PATH', '/dev/null/x', 'must be a folder that can be written'],
  ])('for %s=%s', async (name, value, says) => {
    const line = await refused({ [name]: value });
    expect(line).toContain(name);
    expect(line).toContain(says);
  });

  test('for an identity that is damaged', async () => {
    await writeFile(join(workspace, 'identity.json'), '');
    expect(await refused({})).toContain(`${join(workspace, 'identity.json')} is damaged. Delete it`);
  });

  test('for a template whose inputs do not fit its graph', async () => {
    const workflows = join(workspace, 'workflows');
    await cp('workflows', workflows, { recursive: true });
    const inputs = { title: 'Bad', inputs: { prompt: { type: 'string', required: true, to: '4.txt' } } };
    await writeFile(join(workflows, 'flux2_turbo_default.inputs.json'), JSON.stringify(inputs));
    const line = await refused({ WORKFLOWS_PATH: workflows });
    expect(line).toContain('flux2_turbo_default.inputs.json: input "prompt"');
    expect(line).toContain('has no field "txt"');
  });
});
