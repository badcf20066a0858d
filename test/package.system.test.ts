// The package as others get it: packed here, and run by npx in an empty folder by somebody with an empty home.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Program, startCommand } from './support/program.ts';

const run = promisify(execFile);
const MB = 2 ** 20;

let home: string;
let env: Record<string, string>;
let tarball: string;
let files: string[];
let bytes: number;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'package-'));
  env = { PATH: process.env['PATH']!, HOME: home };
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', home], { env });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; size: number; files: { path: string }[] },
  ];
  tarball = join(home, packed.filename);
  files = packed.files.map(({ path }) => path);
  bytes = packed.size;
}, 60_000);
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 10 }));

test('the tarball has what runs and what it asks for, and nothing else', () => {
  console.log(`${files.length} files, ${(bytes / MB).toFixed(2)} MB packed`);
  const known =
    /^(\.build\/|workflows\/[^/]+\.json$|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|SECURITY\.md$)/;
  expect(files.filter((file) => !known.test(file))).toEqual([]);
  expect(files.filter((file) => /^\.build\/[^/]+$/.test(file)).sort()).toEqual([
    '.build/THIRD-PARTY-LICENSES.txt',
    '.build/comfyui-rest-api.mjs',
    '.build/simulated-comfyui.mjs',
  ]);
  expect(files.filter((file) => file.startsWith('.build/docs/')).sort()).toEqual([
    '.build/docs/LICENSE',
    '.build/docs/NOTICE',
    '.build/docs/swagger-ui-bundle.js',
    '.build/docs/swagger-ui.css',
  ]);
  expect(files.filter((file) => file.startsWith('.build/console/'))).toContain('.build/console/index.html');
  expect(bytes).toBeLessThan(2 * MB);
});

test('whatever is bundled comes with its licence', async () => {
  const licences = await readFile('.build/THIRD-PARTY-LICENSES.txt', 'utf8');
  for (const name of ['hono', 'zod', '@aws-sdk/client-dynamodb', 'ws', 'lossless-json', 'preact'])
    expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ `, 'm'));
  expect(licences).not.toContain('has no licence');
});

describe('in an empty folder', () => {
  let folder: string;
  let started: Program[] = [];
  beforeAll(async () => {
    folder = join(home, 'empty');
    await mkdir(folder);
  });
  afterEach(async () => {
    for (const program of started) program.stop();
    await Promise.all(started.map(({ ended }) => ended));
    started = [];
  });

  // npm 11 takes a path without file: for a program, and a relative one for one of its own folders.
  const npx = (args: string[], more: Record<string, string> = {}) => {
    const program = startCommand('npx', ['--yes', `file:${tarball}`, ...args], { ...env, ...more }, folder);
    started.push(program);
    return program;
  };
  const settings = { API_PORT: '0', COMFYUI_MODE: 'simulated', SIMULATED_STEP_MS: '5' };
  const up = async (program: Program) => (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;

  test('npx does what `npm start` does: the line of the banner makes an image', async () => {
    const program = npx([], settings);
    const url = await up(program);
    const banner = program.output();
    expect(banner).toMatch(/Workflows\s+flux2_turbo_default, /);
    expect(banner).toContain(`Data        ${join(folder, '.workspace')}`);
    const curl = banner.split('\n').find((line) => line.trimStart().startsWith('curl'))!;
    const { stdout } = await run('bash', ['-c', curl]);
    const { job_id: jobId } = JSON.parse(stdout) as { job_id: string };
    const status = async () => (await fetch(`${url}/api/status/${jobId}?wait=20`)).json();
    await expect.poll(status, { timeout: 20_000 }).toMatchObject({ status: 'completed' });
    const { output_image: name } = (await status()) as { output_image: string };
    const image = await fetch(`${url}/api/image/${name}`);
    expect(PNG.sync.read(Buffer.from(await image.arrayBuffer())).width).toBe(1024);
  }, 120_000);

  test('the docs page and the description come from within the package', async () => {
    const url = await up(npx([], settings));
    for (const path of ['docs', 'docs/swagger-ui.css', 'docs/swagger-ui-bundle.js', 'openapi.json'])
      expect([path, (await fetch(`${url}/${path}`)).status]).toEqual([path, 200]);
  }, 60_000);

  test('SIGTERM to npx ends all of it', async () => {
    const program = npx([], settings);
    const url = await up(program);
    program.signal('SIGTERM');
    // npm's code is of the signal; ours does not reach it.
    await program.ended;
    await expect(fetch(`${url}/api/health`)).rejects.toThrow('fetch failed');
    expect(program.output()).toContain('Stopping: ');
  }, 60_000);

  test('a second one in the same folder is refused with where the first is', async () => {
    const url = await up(npx([], settings));
    const second = npx([], settings);
    expect(await second.ended).toBe(1);
    const said = second.stderr().trim();
    for (const part of ['.workspace', url, 'WORKSPACE_PATH']) expect(said).toContain(part);
    expect(said.split('\n')).toHaveLength(1);
  }, 60_000);

  test('generate makes an image where it was typed', async () => {
    const program = npx(['generate', 'a red fox', '--output', 'fox.png'], settings);
    expect(await program.ended).toBe(0);
    const png = PNG.sync.read(await readFile(join(folder, 'fox.png')));
    expect([png.width, png.height]).toEqual([1024, 1024]);
  }, 60_000);

  test('keys draws a key, and says what to type next as it is typed here', async () => {
    const drawn = npx(['keys', 'create', '--name', 'alice']);
    expect(await drawn.ended).toBe(0);
    const [, id] = /^Key ([0-9a-f]{16}) of alice /m.exec(drawn.stderr())!;
    const rotated = npx(['keys', 'rotate', id!]);
    expect(await rotated.ended).toBe(0);
    expect(rotated.stderr()).toContain(`The old one goes on: comfyui-rest-api keys revoke ${id}\n`);
    const deployed = npx(['keys', 'list', '--deployed']);
    expect(await deployed.ended).toBe(1);
    expect(deployed.stderr()).toMatch(/^--deployed needs the repository .*\n$/);
  }, 60_000);

  test('what it is, and what it does not know', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    const said = async (args: string[]) => {
      const program = npx(args);
      return [await program.ended, program.output()];
    };
    expect(await said(['--version'])).toEqual([0, `${version}\n`]);
    const [code, help] = await said(['--help']);
    expect(code).toBe(0);
    for (const word of ['generate', 'keys', 'WORKSPACE_PATH', 'COMFYUI_HOST', '--version'])
      expect(help).toContain(word);
    expect((await said(['generate', '--help']))[1]).toContain('comfyui-rest-api generate "a red fox"');
    expect((await said(['keys', '--help']))[1]).toContain('comfyui-rest-api keys create');
    const [wrong, sentence] = await said(['serve']);
    expect(wrong).toBe(1);
    expect(sentence).toMatch(/^.*"serve".*start, generate, workflows, keys or mcp.*--help.*\n$/);
  }, 60_000);

  test('what is installed is the package and LevelDB, and no bundler', async () => {
    await run('npm', ['init', '-y'], { cwd: folder, env });
    await run('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: folder, env });
    const installed = await readdir(join(folder, 'node_modules'));
    expect(installed).toContain('comfyui-rest-api');
    expect(installed.filter((name) => /^(esbuild|@aws-sdk|@scarf|swagger-ui-dist|hono)$/.test(name))).toEqual(
      [],
    );
    const mode = (await stat(join(folder, 'node_modules/.bin/comfyui-rest-api'))).mode;
    expect(mode & 0o111).toBe(0o111);
  }, 120_000);
});
