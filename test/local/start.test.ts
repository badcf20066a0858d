// `npm start` as a process: what it says, what it survives, and what it refuses with one line.

import { chmod, cp, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer as createWebServer, get } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { freePort } from '../support/free-port.ts';
import { build, childrenOf, isAlive, type Program, startCommand, startProgram } from '../support/program.ts';

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

const settings = () => ({
  WORKSPACE_PATH: workspace,
  API_PORT: '0',
  SIMULATED_STEP_MS: '5',
  COMFYUI_MODE: 'simulated',
});

function start(env: Record<string, string> = {}): Program {
  const program = startProgram('local', { ...settings(), ...env });
  started.push(program);
  return program;
}

/** Where it may have so many files open. */
function startWithFiles(files: number): Program {
  const command = `ulimit -n ${files}; exec "$0" .build/local.mjs`;
  const program = startCommand('bash', ['-c', command, process.execPath], settings());
  started.push(program);
  return program;
}

async function up(program: Program): Promise<string> {
  return (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;
}

function post(url: string, body: Record<string, unknown> = {}): Promise<Response> {
  return fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 320, steps: 4, ...body }),
  });
}

async function generate(url: string, body: Record<string, unknown> = {}): Promise<string> {
  const response = await post(url, body);
  expect(response.status).toBe(202);
  return ((await response.json()) as { job_id: string }).job_id;
}

async function status(url: string, jobId: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/status/${jobId}`)).json()) as Record<string, unknown>;
}

async function completed(url: string, jobId: string, timeout = 15_000): Promise<string> {
  await expect.poll(async () => (await status(url, jobId))['status'], { timeout }).toBe('completed');
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
  expect(children).toHaveLength(1);
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
  expect(children).toHaveLength(1);
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

test('SIGTERM to npm ends what npm has started', async () => {
  const env = { PATH: process.env['PATH']!, HOME: workspace };
  const npm = startCommand('npm', ['start'], { ...env, ...settings() });
  started.push(npm);
  try {
    const url = await up(npm);
    npm.signal('SIGTERM');
    await npm.ended;
    expect(npm.output()).toContain('Stopping: ');
    await expect(fetch(`${url}/api/health`)).rejects.toThrow('fetch failed');
  } finally {
    npm.stop();
  }
});

test('a terminal that closes is a SIGTERM: what runs is finished, and the end is clean', async () => {
  const program = start({ SIMULATED_STEP_MS: '100' });
  const url = await up(program);
  const running = await generate(url, { steps: 10 });
  await expect.poll(async () => (await status(url, running))['status']).toBe('processing');
  // The system tells the whole group, and then the shell does.
  process.kill(-program.pid, 'SIGHUP');
  await program.until(/Stopping/);
  process.kill(-program.pid, 'SIGHUP');
  expect(await program.ended).toBe(0);
  expect(program.stderr()).toBe('');
  const again = await up(start());
  expect(await status(again, running)).toMatchObject({ status: 'completed' });
}, 30_000);

test('a DEBUG of other programs does not stop it, and stays theirs', async () => {
  const program = start({ DEBUG: 'express:*' });
  await completed(await up(program), await generate(await up(program)));
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(program.stderr()).toBe('');
});

test('--help lists its settings, and another word is refused', async () => {
  const asked = startProgram('local', settings(), ['--help']);
  expect(await asked.ended).toBe(0);
  expect(asked.output()).toContain('  API_PORT  (5000)\n      where the API listens');
  const wrong = startProgram('local', settings(), ['--port=5001']);
  expect(await wrong.ended).toBe(1);
  expect(wrong.stderr()).toMatch(/^npm start .*"--port=5001".*--help.*\n$/);
});

test('nobody need read what it says: jobs are made, and SIGTERM is a clean end', async () => {
  const port = await freePort();
  const program = start({ DEBUG: 'true', API_PORT: String(port) });
  program.stopReading();
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/api/health`).then(
      ({ status: code }) => code,
      () => undefined,
    );
  await expect.poll(answers, { timeout: 10_000 }).toBe(200);
  await completed(url, await generate(url));
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
}, 30_000);

test('more connections than it may have files open are waited out', async () => {
  const program = startWithFiles(64);
  const url = await up(program);
  const idle: Socket[] = [];
  try {
    for (let n = 0; n < 80; n++) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET /api/queue HTTP/1.1\r\nHost: x\r\n');
      idle.push(socket);
    }
    // Longer than any of its rounds that could stumble over it, but for the controller's.
    const ended = await Promise.race([
      program.ended,
      new Promise((resolve) => setTimeout(resolve, 3000, 'no')),
    ]);
    expect(ended).toBe('no');
  } finally {
    for (const socket of idle) socket.destroy();
  }
  await completed(url, await generate(url));
}, 30_000);

test('tables that are deleted while it runs are there again, with every job', async () => {
  const program = start();
  const url = await up(program);
  const before = await generate(url);
  await rm(join(workspace, 'tables.mdb'));
  await program.until(/"table.restored"/);
  const after = await generate(url);
  program.signal('SIGKILL');
  await program.ended;
  const again = await up(start());
  for (const jobId of [before, after]) await completed(again, jobId);
}, 60_000);

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

test('a real ComfyUI that does not say what it has keeps nothing from starting', async () => {
  const comfyui = createWebServer((req, res) => {
    const stats = { system: { comfyui_version: '0.8.0' }, devices: [] };
    if (req.url === '/system_stats') res.end(JSON.stringify(stats));
    else res.writeHead(500).end('oops');
  });
  await new Promise<void>((resolve) => {
    comfyui.listen(0, '127.0.0.1', resolve);
  });
  const { port } = comfyui.address() as AddressInfo;
  try {
    const program = start({ COMFYUI_HOST: '127.0.0.1', COMFYUI_PORT: String(port), COMFYUI_MODE: 'auto' });
    await up(program);
    expect(program.output()).toContain(`real, at http://127.0.0.1:${port}\n`);
    expect(program.output()).toMatch(/Missing +not known yet/);
  } finally {
    comfyui.closeAllConnections();
    comfyui.close();
  }
});

test('ComfyUI’s wire is on a port of its own, over the same jobs', async () => {
  const port = await freePort();
  const program = start({ COMFYUI_API_PORT: String(port) });
  const url = await up(program);
  await generate(url);
  const { exec_info: counted } = (await (await fetch(`http://127.0.0.1:${port}/prompt`)).json()) as {
    exec_info: { queue_remaining: number };
  };
  expect(counted.queue_remaining).toBe(1);
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
});

test('links point to PUBLIC_URL where it is set', async () => {
  const url = await up(start({ PUBLIC_URL: 'https://images.example.com' }));
  const jobId = await generate(url);
  await completed(url, jobId);
  const [image] = (await status(url, jobId))['images'] as { url: string }[];
  expect(image!.url).toMatch(/^https:\/\/images\.example\.com\/signed\//);
});

test('links keep the path of PUBLIC_URL, which its proxy takes off', async () => {
  const url = await up(start({ PUBLIC_URL: 'https://shop.example.com/comfy/' }));
  const jobId = await generate(url);
  await completed(url, jobId);
  const [image] = (await status(url, jobId))['images'] as { url: string }[];
  expect(image!.url).toMatch(/^https:\/\/shop\.example\.com\/comfy\/signed\//);
  // As it comes from a proxy that takes the path off and hands the name on.
  const { pathname, search } = new URL(image!.url);
  const { hostname, port } = new URL(url);
  const answer = await new Promise<number | undefined>((resolve, reject) => {
    get(
      {
        hostname,
        port,
        path: pathname.replace('/comfy', '') + search,
        headers: { host: 'shop.example.com' },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    ).once('error', reject);
  });
  expect(answer).toBe(200);
});

test('a COMFYUI_PATH that is no ComfyUI folder is said', async () => {
  const comfyui = await startSimulatedComfyUI({ stepMs: 1 });
  try {
    const where = { COMFYUI_HOST: `127.0.0.1:${comfyui.port}`, COMFYUI_MODE: 'auto' };
    const program = start({ ...where, COMFYUI_PATH: workspace });
    await up(program);
    expect(program.output()).toContain(`COMFYUI_PATH should be ComfyUI's folder`);
  } finally {
    await comfyui.close();
  }
});

test.skipIf(process.platform === 'win32')('what it writes is for nobody else', async () => {
  await chmod(workspace, 0o755);
  const url = await up(start());
  await completed(url, await generate(url));
  const open: string[] = [];
  for (const entry of await readdir(workspace, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) open.push(`${path} ${(mode & 0o777).toString(8)}`);
  }
  expect(open).toEqual([]);
  expect((await stat(workspace)).mode & 0o777).toBe(0o700);
});

test('off loopback without keys it says so loudly, and with keys only where it listens', async () => {
  const everywhere = start({ API_HOST: '0.0.0.0' });
  const url = await up(everywhere);
  expect(everywhere.output()).toContain('listens at 0.0.0.0');
  expect(everywhere.output()).toContain('EVERYBODY WHO REACHES THIS MACHINE CAN USE ITS GPU');
  expect((await fetch(`${url}/api/queue`)).status).toBe(200);
  everywhere.signal('SIGKILL');
  await everywhere.ended;
  const keyed = start({ API_HOST: '0.0.0.0', API_KEYS: 'required' });
  await up(keyed);
  expect(keyed.output()).toContain('listens at 0.0.0.0');
  expect(keyed.output()).not.toContain('WARNING');
});

test('a box that asks for keys shows one at its first start, and never again', async () => {
  const env = { API_KEYS: 'required', FIRST_KEY: 'true' };
  const first = start(env);
  const url = await up(first);
  const [, key] = /FIRST KEY +(ck_\S+)/.exec(first.output())!;
  expect((await fetch(`${url}/api/queue`)).status).toBe(401);
  const headers = { authorization: `Bearer ${key}` };
  expect((await fetch(`${url}/api/queue`, { headers })).status).toBe(200);
  first.signal('SIGTERM');
  expect(await first.ended).toBe(0);
  const second = start(env);
  await up(second);
  expect(second.output()).not.toContain('FIRST KEY');
});

test('a page of another origin cannot drive it', async () => {
  const url = await up(start());
  const headers = { origin: 'https://evil.example' };
  const answer = await fetch(`${url}/api/queue/clear`, { method: 'POST', headers });
  expect(answer.status).toBe(403);
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
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

test("with templates of one's own the line that the banner gives makes an image", async () => {
  const program = start({ WORKFLOWS_PATH: 'test/workflows' });
  const url = await up(program);
  const [, at, body] = /curl -X POST (\S+) -H '[^']+' -d '([^']+)'/.exec(program.output())!;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(at!, { method: 'POST', headers, body: body! });
  expect(response.status).toBe(202);
  const { job_id: jobId } = (await response.json()) as { job_id: string };
  await expect.poll(async () => (await status(url, jobId))['status'], { timeout: 10_000 }).toBe('completed');
});

test('a workspace that was copied says so at its first start', async () => {
  const first = start();
  await up(first);
  expect(first.output()).not.toContain('copy');
  first.signal('SIGTERM');
  await first.ended;
  const copy = join(workspace, 'copy');
  await mkdir(copy);
  for (const name of ['identity.json', 'tables.mdb', 'images'])
    await cp(join(workspace, name), join(copy, name), { recursive: true });
  const second = start({ WORKSPACE_PATH: copy });
  await up(second);
  expect(second.stderr()).toContain(`${copy} is a copy of another workspace`);
  expect(second.stderr().trim().split('\n')).toHaveLength(1);
  second.signal('SIGTERM');
  await second.ended;
  const third = start({ WORKSPACE_PATH: copy });
  await up(third);
  expect(third.output()).not.toContain('copy of another');
}, 40_000);

test('a template is taken over while it runs, and a bad one is said', async () => {
  const workflows = join(workspace, 'workflows');
  await cp('test/workflows', workflows, { recursive: true });
  const program = start({ WORKFLOWS_PATH: workflows });
  const url = await up(program);
  const list = async () => (await (await fetch(`${url}/api/workflows`)).json()) as { workflows: string[] };
  for (const suffix of ['.json', '.inputs.json'])
    await cp(`test/workflows/slow${suffix}`, join(workflows, `my_own${suffix}`));
  await expect.poll(async () => (await list()).workflows, { timeout: 10_000 }).toContain('my_own');
  await writeFile(join(workflows, 'my_own.json'), '[]');
  const reason = 'workflows/my_own.json: is no API export';
  await program.until(new RegExp(reason));
  expect(await list()).toMatchObject({ total: 4, refused: [expect.stringContaining(reason)] });
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
      expect(await refused({ API_PORT: String(port) })).toMatch(
        new RegExp(`^Port ${port} .*API_PORT .*${port + 1}$`),
      );
    } finally {
      server.close();
    }
  });

  test('for a workspace that a live process uses', async () => {
    const url = await up(start());
    const said = await refused({});
    for (const part of [workspace, url, 'WORKSPACE_PATH']) expect(said).toContain(part);
    expect(said.split('\n')).toHaveLength(1);
  });

  test.each([
    ['API_PORT', 'five', 'must be a port from 0 to 65535'],
    ['COMFYUI_PORT', '70000', 'must be a port from 0 to 65535'],
    ['COMFYUI_HOST', 'a b', 'must be a host name or an address'],
    ['COMFYUI_HOST', 'http://box/?token=x', 'must not have a query'],
    ['COMFYUI_MODE', 'fake', 'must be auto, real or simulated'],
    ['LOG_LEVEL', 'loud', 'must be debug, info, warn or error'],
    ['WARM_UP', 'perhaps', 'must be true or false'],
    ['SIMULATED_STEP_MS', '-1', 'must be a whole number of milliseconds from 0 to 60000'],
    ['SIMULATED_COMFYUI_VERSION', '0.9', 'must be 0.33 or 0.8'],
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

  test('for an identity that cannot be read, which stays as it is', async () => {
    const file = join(workspace, 'identity.json');
    await symlink(file, file);
    expect(await refused({})).toBe(`${file} cannot be read: ELOOP`);
    expect(await refused({})).toBe(`${file} cannot be read: ELOOP`);
  });

  test('for a job table that cannot be opened', async () => {
    await writeFile(join(workspace, 'tables.mdb'), 'no table');
    const program = start();
    expect(await program.ended).toBe(1);
    expect(program.output().trim().split('\n')).toEqual([
      expect.stringMatching(/^The job table \S+tables.mdb cannot be opened: /),
    ]);
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
