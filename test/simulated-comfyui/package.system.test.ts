// The workspace simulated-comfyui as others get it: packed here, then run by npx, imported and type-checked in an empty
// folder of a user with an empty home.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Program, startCommand } from '../support/program.ts';

const run = promisify(execFile);

let home: string;
let folder: string;
let env: Record<string, string>;
let tarball: string;
let files: string[];
const started: Program[] = [];
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'stand-in-'));
  folder = join(home, 'empty');
  await mkdir(folder);
  env = { PATH: process.env['PATH']!, HOME: home };
  const pack = ['pack', '--json', '--workspace', 'simulated-comfyui', '--pack-destination', home];
  const { stdout } = await run('npm', pack, { env });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; size: number; files: { path: string }[] },
  ];
  console.log(`${packed.files.length} files, ${Math.round(packed.size / 1024)} KB packed`);
  tarball = join(home, packed.filename);
  files = packed.files.map(({ path }) => path);
}, 60_000);
afterAll(async () => {
  for (const program of started) program.stop();
  await Promise.all(started.map(({ ended }) => ended));
  await rm(home, { recursive: true, force: true, maxRetries: 10 });
});

test('the tarball has the program, the module, its types and every licence', async () => {
  const known = /^(package\.json|README\.md|\.build\/(types\/.+\.d\.ts|[\w-]+\.mjs|LICENSES\.txt))$/;
  expect(files.filter((file) => !known.test(file))).toEqual([]);
  const licences = await readFile('simulated-comfyui/.build/LICENSES.txt', 'utf8');
  expect(licences).toMatch(/^MIT License/);
  for (const name of ['ws', 'lossless-json', 'image-size'])
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ `, 'm'));
});

test('npx answers as ComfyUI does, and SIGTERM ends it', async () => {
  const program = startCommand('npx', ['--yes', `file:${tarball}`], env, folder);
  started.push(program);
  const [, url] = await program.until(/^\{"url":"(http:[^"]+)"\}$/m);
  const stats = (await (await fetch(`${url}/system_stats`)).json()) as {
    system: { comfyui_version: string };
  };
  expect(stats.system.comfyui_version).toMatch(/^0\.33/);
  program.signal('SIGTERM');
  await program.ended;
  await expect(fetch(`${url}/system_stats`)).rejects.toThrow('fetch failed');
}, 60_000);

test('installed, it brings no other package, runs in the process of a test, and has types', async () => {
  await run('npm', ['init', '-y'], { cwd: folder, env });
  await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: folder, env });
  const { stdout: installed } = await run('npm', ['ls', '--all', '--parseable'], { cwd: folder, env });
  expect(installed.trim().split('\n').slice(1)).toEqual([join(folder, 'node_modules/simulated-comfyui')]);
  const source = `import { startSimulatedComfyUI, type SimulatedComfyUI } from 'simulated-comfyui';
const comfyui: SimulatedComfyUI = await startSimulatedComfyUI({ stepMs: 0, faults: { answer500: ['/queue'] } });
const failed = await fetch(comfyui.url + '/queue');
comfyui.faults.answer500 = [];
const mended = await fetch(comfyui.url + '/queue');
console.log(failed.status, mended.status, comfyui.requests.length);
await comfyui.close();
`;
  await writeFile(join(folder, 'use.mts'), source);
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', ''];
  const tsc = resolve('node_modules/.bin/tsc');
  await run(tsc, [...flags, '--lib', 'es2023,dom', '--skipLibCheck', 'false', 'use.mts'], {
    cwd: folder,
    env,
  });
  await writeFile(
    join(folder, 'use.mjs'),
    source.replace(', type SimulatedComfyUI', '').replace(': SimulatedComfyUI', ''),
  );
  expect((await run(process.execPath, ['use.mjs'], { cwd: folder, env })).stdout).toBe('500 200 2\n');
}, 120_000);
