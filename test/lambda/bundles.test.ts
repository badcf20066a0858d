// What a cold start has to load: the sizes of the bundles, how long each takes under the real runtime client, and that
// each is whole: it runs in a folder with nothing around it, as its asset does.

import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { startCommand } from '../support/program.ts';
import { startRuntime } from './runtime-api.ts';
import { bundleOf, type FunctionName, lacksRuntime, skipped } from './deployment.ts';

/** As infra sets them. */
const environment = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY: 'secret',
  TABLE_PREFIX: 'comfyui-',
  IMAGES_BUCKET: 'images',
  WORKFLOWS_PATH: join(bundleOf('api'), 'workflows'),
  ORIGIN_SECRET: 'origin-secret-of-at-least-32-characters',
  API_KEY: 'api-key-of-at-least-32-characters-here',
  AUTO_SCALING_GROUP: 'comfyui-gpu-hosts',
  MAX_HOSTS: '2',
  RELEASE: 'release-1',
  OWN_HOSTS: 'images.example.com',
};

let alone: string;
beforeAll(async () => {
  alone = await mkdtemp(join(tmpdir(), 'bundles-'));
});
afterAll(() => rm(alone, { recursive: true }));

test.each([
  ['api', 465],
  ['forwarder', 300],
  // Nobody waits for their cold starts: they look once a minute.
  ['controller', 360],
  ['webhooks', 325],
] as const)('a cold start of the %s loads at most %i KB', async (name, limit) => {
  const sizes = (await loadedWith(join(bundleOf(name), 'index.mjs'))).values();
  expect([...sizes].reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limit * 1000);
});

test('a cold start of the api loads neither the client of S3 nor the description of the API', async () => {
  const loaded = await loadedWith(join(bundleOf('api'), 'index.mjs'));
  const files = await readdir(bundleOf('api'), { recursive: true });
  const later = files.filter((file) => !loaded.has(join(bundleOf('api'), file)));
  for (const part of [
    'openapi',
    'mcp-sdk',
    'parts/images-',
    'parts/sniff-',
    'parts/busboy-',
    'parts/polled-',
  ])
    expect(later.filter((file) => file.startsWith(part) && file.endsWith('.mjs'))).toHaveLength(1);
});

test('what the api imports later is there', async () => {
  const folder = bundleOf('api');
  const files = await readdir(folder, { recursive: true });
  for (const file of files.filter((one) => /^(index|parts\/.*)\.mjs$/.test(one))) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const [, later] of text.matchAll(/\bimport\("(\.[^"]+)"\)/g))
      expect(files).toContain(join(dirname(file), later!));
  }
});

/** @returns the sizes of a file and of all that it imports at once, by path */
async function loadedWith(path: string, sizes = new Map<string, number>()): Promise<Map<string, number>> {
  if (sizes.has(path)) return sizes;
  const text = await readFile(path, 'utf8');
  sizes.set(path, Buffer.byteLength(text));
  for (const [, beside] of text.matchAll(/\b(?:import|from)"(\.[^"]+\.mjs)"/g))
    await loadedWith(join(dirname(path), beside!), sizes);
  return sizes;
}

describe("a GPU host's bundle", () => {
  async function said(program: string, settings: Record<string, string>): Promise<[number | string, string]> {
    const folder = await mkdtemp(join(alone, 'host-'));
    await cp(join(packageRoot(), '.build', 'host'), folder, { recursive: true });
    const ran = startCommand(process.execPath, [join(folder, program)], {
      PATH: process.env['PATH'] ?? '',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...settings,
    });
    return [await ran.ended, ran.output()];
  }

  test('runs alone, with its native part', async () => {
    const workspace = join(alone, 'workspace');
    const [code, output] = await said('host.mjs', {
      WORKSPACE_PATH: workspace,
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1',
    });
    expect(output).toContain('See AWS_ENDPOINT_URL_DYNAMODB,');
    expect(code).toBe(1);
    // The native part is what takes the lock.
    expect((await stat(join(workspace, 'host.lock', 'LOCK'))).isFile()).toBe(true);
  });

  test('has the program that fetches the models', async () => {
    const [code, output] = await said('models.mjs', {});
    expect(output).toMatch(/^MODELS_BUCKET must /);
    expect(code).toBe(1);
  });
});

describe.skipIf(lacksRuntime)(`a cold start${skipped}`, () => {
  const ROUNDS = 7;

  /** As /var/task: nothing of this project around it. */
  async function taskOf(name: FunctionName): Promise<string> {
    const folder = join(alone, name);
    await cp(bundleOf(name), folder, { recursive: true });
    return folder;
  }

  async function emptyHandler(): Promise<string> {
    const folder = await mkdtemp(join(alone, 'empty-'));
    await writeFile(join(folder, 'index.mjs'), 'export const handler = async () => undefined;\n');
    return folder;
  }

  interface Init {
    /** Milliseconds, by the clock and of the processor. */
    clock: number;
    processor: number;
  }

  async function initOf(directory: string): Promise<Init> {
    const runtime = await startRuntime(directory, environment);
    try {
      const clock = await runtime.ready;
      return { clock, processor: await processorTime(runtime.program.pid) };
    } finally {
      await runtime.close();
    }
  }

  /** So far, in ms, of all its threads. `/proc/PID/stat` would count in steps of 10 ms. */
  async function processorTime(pid: number): Promise<number> {
    const threads = await readdir(`/proc/${pid}/task`);
    const ran = await Promise.all(
      threads.map(async (thread) => {
        const said = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
        return Number(said.split(' ')[0]) / 1e6;
      }),
    );
    return ran.reduce((sum, one) => sum + one, 0);
  }

  test(
    'takes at most three times the processor that an empty handler takes',
    { timeout: 60_000 },
    async () => {
      const folders = {
        empty: await emptyHandler(),
        api: await taskOf('api'),
        forwarder: await taskOf('forwarder'),
        controller: await taskOf('controller'),
        webhooks: await taskOf('webhooks'),
      };
      const inits: Record<string, Init[]> = {};
      for (let round = 0; round < ROUNDS; round += 1)
        for (const [name, folder] of Object.entries(folders)) (inits[name] ??= []).push(await initOf(folder));
      // The least of several: what else the machine does can only add to it.
      const least = (name: string, by: keyof Init) => Math.min(...inits[name]!.map((init) => init[by]));
      const beyondEmpty = (name: string, by: keyof Init) => Math.round(least(name, by) - least('empty', by));
      for (const by of ['clock', 'processor'] as const)
        console.info(
          `init beyond that of an empty handler (${Math.round(least('empty', by))} ms), ms of the ${by}:`,
          Object.fromEntries(Object.keys(folders).map((name) => [name, beyondEmpty(name, by)])),
        );
      // Milliseconds are another thing on each machine and in each hour (twofold for the same api); against the start of
      // Node itself, measured in turn with it, the api stands between 1.7 and 2.4.
      for (const name of Object.keys(folders))
        expect(beyondEmpty(name, 'processor') / least('empty', 'processor')).toBeLessThanOrEqual(3);
    },
  );

  test('with a setting that is missing says which', async () => {
    const { API_KEY: _, ...rest } = environment;
    const runtime = await startRuntime(bundleOf('api'), rest);
    await expect(runtime.ready).rejects.toThrow('API_KEY must be a secret of at least 32 characters');
    await runtime.close();
  });
});
