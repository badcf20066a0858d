// The images: pinned and without root, and the API's built and run without Docker, from nothing but what its Dockerfile
// copies and by the commands that it runs.

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { type Program, startCommand } from '../support/program.ts';
import { type Instruction, instructionsOf } from './dockerfile.ts';
import { BOX } from './nginx.ts';

const run = promisify(execFile);

test.each(['Dockerfile', 'comfyui.Dockerfile'])(
  '%s: every stage is pinned, and none ends as root',
  async (name) => {
    const lines = instructionsOf(await readFile(join(BOX, name), 'utf8'));
    const bases = lines.filter(({ verb }) => verb === 'FROM').map(({ text }) => text.split(' ')[0]!);
    expect(bases).toHaveLength(2);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/:\d+\.\d+\.\d+-(slim-bookworm|bookworm-slim)$/);
    expect(lines.filter(({ verb }) => verb === 'USER').map(({ text }) => text)).not.toContain('root');
    expect(lines.findLast(({ verb }) => verb === 'USER')).toBeDefined();
  },
);

test('ComfyUI has the PyTorch of GPU hosts and loads no node that calls another service', async () => {
  const lines = instructionsOf(await readFile(join(BOX, 'comfyui.Dockerfile'), 'utf8'));
  const hosts = join(packageRoot(), 'infra', 'host', 'boot');
  const pinned = (await readFile(join(hosts, 'constraints.txt'), 'utf8'))
    .split('\n')
    .filter((line) => /==/.test(line));
  const [, cuda] = /^cuda=(.*)$/m.exec(await readFile(join(hosts, 'install.sh'), 'utf8'))!;
  const install = lines.find(({ text }) => text.includes(' install --nvidia '))!.text;
  expect(pinned).toHaveLength(3);
  for (const one of pinned) expect(install).toContain(one);
  expect(install).toContain(`--cuda-version ${cuda} `);
  const flags = JSON.parse(lines.findLast(({ verb }) => verb === 'CMD')!.text) as string[];
  const unit = await readFile(join(hosts, 'comfyui.service'), 'utf8');
  expect(flags).toContain('--disable-api-nodes');
  expect(unit).toContain(' --disable-api-nodes ');
  for (const text of [flags.join(' '), unit]) expect(text).not.toContain('--enable-assets');
});

describe("the API's image, built and run without Docker", () => {
  const lines: Instruction[] = [];
  let folder: string;
  /** Of each stage, /app. */
  let stages: string[];
  let program: Program | undefined;
  beforeAll(async () => {
    lines.push(...instructionsOf(await readFile(join(BOX, 'Dockerfile'), 'utf8')));
    folder = await mkdtemp(join(tmpdir(), 'image-'));
    const context = await sentToTheBuilder(folder);
    stages = [];
    for (const { verb, text } of lines) {
      if (verb === 'FROM') {
        stages.push(join(folder, `stage-${stages.length}`));
        await mkdir(stages.at(-1)!);
      }
      const here = stages.at(-1)!;
      if (verb === 'COPY') await copy(text, context, stages[0]!, here);
      if (verb === 'RUN' && /^(npm|node) /.test(text))
        await run('sh', ['-c', text], { cwd: here, env: { PATH: process.env['PATH'], HOME: folder } });
    }
  }, 300_000);
  afterAll(async () => {
    program?.stop();
    await program?.ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  test('it is built and started as package.json does, without what only development needs', async () => {
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(join(packageRoot(), name), 'utf8'));
    const { scripts } = (await read('package.json')) as { scripts: Record<string, string> };
    const { packages } = (await read('package-lock.json')) as { packages: Record<string, { dev?: true }> };
    // A real ComfyUI is always at hand there.
    const [, flags] = /^node (.*) build\.mjs local simulated-comfyui --then$/.exec(scripts['start']!)!;
    expect(lines).toContainEqual({ verb: 'RUN', text: 'node build.mjs local' });
    expect(commandOf(lines).join(' ')).toBe(`node ${flags} .build/local.mjs`);
    const installed = await readdir(join(stages.at(-1)!, 'node_modules'));
    expect(installed.filter((name) => packages[`node_modules/${name}`]?.dev)).toEqual([]);
  });

  test('it makes an image, and writes nothing beside itself: its root is read-only', async () => {
    const app = stages.at(-1)!;
    const comfyui = await startSimulatedComfyUI({ stepMs: 1 });
    const before = await readdir(app, { recursive: true });
    try {
      const [command, ...args] = commandOf(lines);
      const env = {
        PATH: process.env['PATH']!,
        API_PORT: '0',
        WORKSPACE_PATH: join(folder, 'workspace'),
        COMFYUI_HOST: '127.0.0.1',
        COMFYUI_PORT: String(comfyui.port),
      };
      program = startCommand(command!, args, env, app);
      const [, url] = await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/);
      const accepted = await fetch(`${url}/api/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 256, steps: 1 }),
      });
      const { job_id: jobId } = (await accepted.json()) as { job_id: string };
      const status = async () =>
        ((await (await fetch(`${url}/api/status/${jobId}`)).json()) as { status: string }).status;
      await expect.poll(status, { timeout: 15_000 }).toBe('completed');
      program.signal('SIGTERM');
      expect(await program.ended).toBe(0);
      expect(await readdir(app, { recursive: true })).toEqual(before);
    } finally {
      await comfyui.close();
    }
  }, 30_000);
});

/** The context as the ignore file leaves it: everything is out but what it names. */
async function sentToTheBuilder(folder: string): Promise<string> {
  const context = join(folder, 'context');
  await mkdir(context);
  const [first, ...kept] = (await readFile(join(BOX, 'Dockerfile.dockerignore'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  for (const line of kept) {
    const name = line.replace(/^!/, '');
    await cp(join(packageRoot(), name), join(context, name), { recursive: true });
  }
  return context;
}

async function copy(text: string, context: string, firstStage: string, here: string): Promise<void> {
  const words = text.split(' ');
  const fromStage = words[0]!.startsWith('--from=');
  const sources = words.slice(fromStage ? 1 : 0, -1);
  const target = words.at(-1)!;
  for (const source of sources) {
    const from = fromStage ? join(firstStage, source.replace(/^\/app\//, '')) : join(context, source);
    const to = target.endsWith('/') ? join(here, target, source.split('/').at(-1)!) : join(here, target);
    await cp(from, to, { recursive: true });
  }
}

function commandOf(lines: Instruction[]): string[] {
  return JSON.parse(lines.find(({ verb }) => verb === 'CMD')!.text) as string[];
}
