// `npm run generate` as a process: with no API, with the local one, with API_URL; and how it ends when it must not
// go on.

import { access, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { beforeEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { isAlive, type Program, startCommand } from '../support/program.ts';
import { ownFolder } from './own-folder.ts';

const SMALL = ['--width', '256', '--height', '320', '--steps', '4'];

const own = ownFolder('generate');
const { endsWithTest, serve, settings } = own;
const startApi = async (env?: Record<string, string>) => (await own.startApi(env)).url;

let folder: string;
let starts: number;
beforeEach(() => {
  folder = own.folder();
  starts = 0;
});

/** The program with standard output in a file, in a folder of its own. */
function start(args: string[], env: Record<string, string> = {}): Program & { stdout(): Promise<string> } {
  const stdout = join(folder, `stdout-${starts}`);
  starts += 1;
  const program = endsWithTest(
    startCommand(
      'bash',
      [
        '-c',
        `exec "$0" "$@" > "${stdout}"`,
        process.execPath,
        join(packageRoot(), '.build/generate.mjs'),
        ...args,
      ],
      { ...settings(), ...env },
      folder,
    ),
  );
  return { ...program, stdout: () => readFile(stdout, 'utf8') };
}

async function run(args: string[], env: Record<string, string> = {}) {
  const program = start(args, env);
  const code = await program.ended;
  const stdout = await program.stdout();
  return { code, stdout, stderr: program.stderr(), paths: stdout.trimEnd().split('\n'), pid: program.pid };
}

async function sizeOf(path: string): Promise<[number, number]> {
  const { width, height } = PNG.sync.read(await readFile(join(folder, path)));
  return [width, height];
}

async function get(url: string): Promise<Record<string, unknown>> {
  return (await (await fetch(url)).json()) as Record<string, unknown>;
}

async function images(): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.includes('.png')).sort();
}

describe('with no API', () => {
  test('it starts one for the job, and leaves an image and no process', async () => {
    const { code, stdout, stderr, paths, pid } = await run(['a', 'red', 'fox', ...SMALL, '--seed', '42']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^seed 42, \d+\.\d s, simulated/m),
    });
    expect(stdout).toMatch(/^Flux2_Turbo_[0-9a-f]{32}_00001_\.png\n$/);
    expect(await sizeOf(paths[0]!)).toEqual([256, 320]);
    expect(stderr).not.toContain('\r');
    expect(isAlive(-pid)).toBe(false);
  });

  test('of three at once one starts it for all, and whoever is left goes on when that one has ended', async () => {
    const some = ['a fox', 'a hare', 'a cat'].map((prompt) =>
      run([prompt, ...SMALL], { SIMULATED_STEP_MS: '60' }),
    );
    for (const { code, stderr } of await Promise.all(some))
      expect({ code, stderr }).toEqual({ code: 0, stderr });
    expect(await images()).toHaveLength(3);
  }, 60_000);

  test('Ctrl-C cancels the job and ends what was started', async () => {
    const program = start(['a red fox'], { SIMULATED_STEP_MS: '1000' });
    await program.until(/^\d+ %/m);
    // A terminal sends it to the whole group.
    process.kill(-program.pid, 'SIGINT');
    expect(await program.ended).toBe(130);
    expect(isAlive(-program.pid)).toBe(false);
    const [, jobId] = /The job (\S+) is cancelled/.exec(program.stderr())!;
    expect(await get(`${await startApi()}/api/status/${jobId}`)).toMatchObject({ status: 'cancelled' });
    expect(await images()).toEqual([]);
  });

  test('help needs none, whatever API_URL says', async () => {
    const help = await run(['--help', '--workflow', 'flux2_turbo_upscale'], {
      API_URL: 'http://127.0.0.1:1',
    });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/FLUX\.2 Turbo, upscaled[^]*--denoise +Number, 0\.05 to 1, default 0\.35/);
    expect((await run(['-h'])).stdout).toContain('--lora-strength');
    await expect(access(join(folder, 'workspace'))).rejects.toThrow('ENOENT');
  });

  test.each<[string[], Record<string, string>, RegExp]>([
    [['a fox', '--stesp', '3'], {}, /^Unknown flag --stesp; .*--steps.*\n$/],
    [[], {}, /^What should the image show\? npm run generate -- "a red fox".*\n$/],
    [
      ['a fox', '--workflow', 'nope'],
      {},
      /^There is no workflow nope; --workflow takes flux2_turbo_default, .*\n$/,
    ],
    [
      ['a fox', '--output', 'no/such.png'],
      {},
      /^--output must be in a folder that can be written; .*no: ENOENT\n$/,
    ],
    [
      ['a fox', '--output', '/dev/null'],
      {},
      /^--output must be a file or a folder; \/dev\/null is neither\n$/,
    ],
    [
      ['a fox'],
      { API_URL: 'http://127.0.0.1:1' },
      /^The API at http:\/\/127\.0\.0\.1:1 does not answer .*API_URL.*\n$/,
    ],
    [['a fox'], { API_URL: 'nonsense' }, /^API_URL must be an address such as .*\n$/],
    [['a fox'], { API_PORT: '70000' }, /^API_PORT must be a port .*\n$/],
    [['a fox'], { WORKFLOWS_PATH: '/nowhere' }, /^WORKFLOWS_PATH must be a folder .*\n$/],
  ])('%j with %j is one line and exit code 1', async (args, env, line) => {
    const { code, stdout, stderr } = await run(args, env);
    expect(stderr).toMatch(line);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });
});

describe('with the local API', () => {
  test('it is found by its workspace, and goes on running', async () => {
    const url = await startApi();
    const { code, stderr, paths } = await run([
      'a red fox',
      ...SMALL,
      '--batch-size',
      '2',
      '--output',
      'out/',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('starting') });
    expect(paths.map((path) => path.replace(/[0-9a-f]{32}/, 'ID'))).toEqual([
      'out/Flux2_Turbo_ID_00001_.png',
      'out/Flux2_Turbo_ID_00002_.png',
    ]);
    for (const path of paths) expect(await sizeOf(path)).toEqual([256, 320]);
    expect(await get(`${url}/api/outputs`)).toMatchObject({ total: 2 });
  });

  test('a bad value is refused in the words of the API', async () => {
    await startApi();
    const { code, stderr } = await run(['a fox', '--cfg', '99']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'Invalid field: cfg must be a number from 0 to 30\n',
    });
  });

  test('a failed job ends with its reason', async () => {
    const workflows = join(folder, 'workflows');
    await mkdir(workflows);
    for (const part of ['.json', '.inputs.json'])
      await cp(`test/workflows/empty${part}`, join(workflows, `empty${part}`));
    await writeFile(
      join(workflows, 'broken.json'),
      JSON.stringify({
        1: { class_type: 'LoadImage', inputs: { image: 'not there.png' } },
        2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'Broken' } },
      }),
    );
    await writeFile(join(workflows, 'broken.inputs.json'), JSON.stringify({ title: 'Broken', inputs: {} }));
    await startApi({ WORKFLOWS_PATH: workflows });
    const { code, stdout, stderr } = await run(['--workflow', 'broken']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The job [0-9a-f-]{36} failed: .*not there\.png.*\n$/m);
  });

  test('a job that somebody else cancels ends with exit code 1', async () => {
    const url = await startApi({ SIMULATED_STEP_MS: '1000' });
    const program = start(['a fox']);
    await program.until(/^\d+ %/m);
    const [jobId] = Object.keys((await get(`${url}/api/queue`))['jobs'] as object);
    await fetch(`${url}/api/queue/${jobId}`, { method: 'DELETE' });
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain(`The job ${jobId} was cancelled\n`);
  });

  test('SIGTERM cancels the job, and leaves the API alone', async () => {
    const url = await startApi({ SIMULATED_STEP_MS: '1000' });
    const program = start(['a fox']);
    await program.until(/^\d+ %/m);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(130);
    const [, jobId] = /The job (\S+) is cancelled/.exec(program.stderr())!;
    expect(await get(`${url}/api/status/${jobId}`)).toMatchObject({ status: 'cancelled' });
  });

  test('an image input takes a local file, or the name of an image that was made', async () => {
    const url = await startApi();
    const controlnet = ['--workflow', 'flux2_turbo_controlnet', ...SMALL];
    const png = new PNG({ width: 64, height: 48 });
    await writeFile(join(folder, 'my edges.png'), PNG.sync.write(png));
    const first = await run(['a fox', ...controlnet, '--image', 'my edges.png', '--output', 'fox.png']);
    expect(first).toMatchObject({ code: 0, paths: ['fox.png'] });
    expect(await sizeOf('fox.png')).toEqual([256, 320]);

    // Past what one request takes.
    const large = Buffer.concat([PNG.sync.write(png), Buffer.alloc(5 * 1024 * 1024)]);
    await writeFile(join(folder, 'large.png'), large);
    expect(await run(['a hare', ...controlnet, '--image', 'large.png'])).toMatchObject({ code: 0 });
    expect(await get(`${url}/api/uploads`)).toMatchObject({
      uploads: expect.arrayContaining([expect.objectContaining({ size_bytes: large.length })]) as unknown,
    });

    const made = await run(['a fox', ...SMALL]);
    await rm(join(folder, made.paths[0]!));
    expect(await run(['a hare', ...controlnet, '--image', made.paths[0]!])).toMatchObject({ code: 0 });

    const missing = await run(['a fox', ...controlnet, '--image', 'nowhere.png']);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Invalid field: image must name an'),
    });
  });

  test('only the file that --output names is written over', async () => {
    await startApi();
    for (const name of ['fox.png', 'fox-1.png']) await writeFile(join(folder, name), 'mine');
    expect(await run(['a fox', ...SMALL, '--output', 'fox.png'])).toMatchObject({ paths: ['fox.png'] });
    const batch = await run(['a fox', ...SMALL, '--output', 'fox.png', '--batch-size', '2']);
    expect(batch.paths).toEqual(['fox-1-2.png', 'fox-2.png']);
    expect(await readFile(join(folder, 'fox-1.png'), 'utf8')).toBe('mine');
    expect(await images()).toEqual(['fox-1-2.png', 'fox-1.png', 'fox-2.png', 'fox.png']);
  });
});

describe('with API_URL', () => {
  /** In front of `upstream`; `lose` says for which requests the answer is lost. */
  const startProxy = (upstream: string, lose: (method: string, path: string) => boolean) =>
    own.startProxy(upstream, (method, path) => (lose(method, path) ? 'lost' : undefined));

  test('that API is used, with its own workflows, whatever runs here', async () => {
    const url = await startApi({ WORKFLOWS_PATH: 'test/workflows', WORKSPACE_PATH: join(folder, 'other') });
    const { code, paths } = await run(['--workflow', 'empty', '--height', '96'], { API_URL: url });
    expect(code).toBe(0);
    expect(await sizeOf(paths[0]!)).toEqual([64, 96]);
    await expect(access(join(folder, 'workspace'))).rejects.toThrow('ENOENT');
  });

  test('every first answer is lost, and there is still one job and one image', async () => {
    const url = await startApi();
    const asked = new Set<string>();
    const proxy = await startProxy(url, (method, path) => {
      const known = asked.has(method + path) || path.startsWith('/api/workflows');
      asked.add(method + path);
      return !known;
    });
    const { code, stderr, paths } = await run(['a fox', ...SMALL], { API_URL: proxy });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('asking again') });
    expect(await sizeOf(paths[0]!)).toEqual([256, 320]);
    expect(await get(`${url}/api/history`)).toMatchObject({ total_items: 1 });
  });

  test('something that is no such API is said to be none', async () => {
    const url = await serve((_req, res) => void res.writeHead(200).end('{}'));
    expect(await run(['a fox'], { API_URL: url })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`^${url} is not this API: .*\\n$`)) as string,
    });
  });
});
