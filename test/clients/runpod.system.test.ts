// RunPod's clients from their packages, unchanged but for the base address and the key: runpod-sdk (npm), in the folder that RUNPOD_SDK
// names, and runpod (PyPI), of the Python that RUNPOD_PYTHON names (143 MB): .ci/run installs them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askForKeys } from '../../functions/api/http/access.ts';
import { type Listening, listen, listenerOf } from '../../functions/runtime/listen.ts';
import { createKey } from '../api/comfyui-wire/keys.ts';
import { anotherProcess } from '../api/support.ts';
import { picture, reading } from '../api/v2/support.ts';
import { freePort } from '../support/free-port.ts';
import { startCommand } from '../support/program.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { withWire } from '../support/with-wire.ts';

const { RUNPOD_SDK, RUNPOD_PYTHON, PATH = '' } = process.env;

let rig: Rig;
let server: Listening;
let folder: string;
let given: string[];
beforeAll(async () => {
  rig = await startRig();
  await rig.addHost();
  const { now, keys } = rig.store;
  server = await listen(
    listenerOf(anotherProcess(rig, { now, admit: askForKeys({ keys, now }) })),
    '127.0.0.1',
    0,
  );
  const key = await createKey(rig, 'alice', ['graphs', 'read']);
  folder = await mkdtemp(join(tmpdir(), 'runpod-'));
  const path = join(folder, 'given.json');
  await writeFile(
    path,
    JSON.stringify({ graph: reading('photo.png'), picture: picture().toString('base64') }),
  );
  given = [`http://127.0.0.1:${server.port}/v2`, key, path];
});
afterAll(async () => {
  await server?.close();
  await rig?.close();
  await rm(folder, { recursive: true, force: true });
});

const program = (name: string) => join(import.meta.dirname, name);

async function saidBy(command: string, args: string[]): Promise<Record<string, unknown>> {
  const run = startCommand(command, args, { PATH, HOME: folder });
  expect({ code: await run.ended, output: run.output() }).toMatchObject({ code: 0 });
  return JSON.parse(run.output().trim().split('\n').at(-1)!) as Record<string, unknown>;
}

const PNG = ['base64', 'PNG'];
const HEALTH = {
  jobs: { completed: expect.any(Number), failed: 0, inProgress: expect.any(Number), inQueue: 0, retried: 0 },
  workers: { initializing: 0, throttled: 0, unhealthy: 0 },
};

test.skipIf(!RUNPOD_SDK)('runpod-sdk: each of its calls', async () => {
  const whole = { status: 'COMPLETED', delayTime: expect.any(Number), executionTime: expect.any(Number) };
  expect(await saidBy(process.execPath, [program('runpod.mjs'), RUNPOD_SDK!, ...given])).toMatchObject({
    runSync: { ...whole, output: [PNG], started: true, completed: true, succeeded: true },
    run: 'IN_QUEUE',
    statusSync: 'COMPLETED',
    status: { ...whole, output: [PNG], succeeded: true },
    stream: [PNG],
    workflow: 'COMPLETED',
    cancel: 'CANCELLED',
    cancelled: 'CANCELLED',
    health: HEALTH,
    purgeQueue: { removed: 0, status: 'completed' },
    refused: [expect.any(String), 400],
    unknown: [expect.any(String), 404],
    badKey: [expect.any(String), 401],
  });
});

test.skipIf(!RUNPOD_PYTHON)('runpod: each of its calls, plain and asyncio', async () => {
  expect(await saidBy(RUNPOD_PYTHON!, [program('runpod_calls.py'), ...given])).toMatchObject({
    run_sync: [PNG],
    output: [PNG],
    status: 'COMPLETED',
    stream: [PNG],
    workflow: 1,
    cancel: 'CANCELLED',
    cancelled: 'CANCELLED',
    health: HEALTH,
    purge_queue: { removed: 0, status: 'completed' },
    refused: 400,
    unknown: 404,
    bad_key: 'RuntimeError',
    asyncio: ['COMPLETED', [PNG], [PNG], 'CANCELLED', ['jobs', 'workers'], 'completed'],
  });
});

test.skipIf(!RUNPOD_PYTHON)(
  'runpod: killed −9 while ten of its jobs are polled, each gets its image',
  async () => {
    const port = await freePort();
    const local = await withWire(25, { API_PORT: String(port) });
    try {
      const first = await local.start();
      const base = `http://127.0.0.1:${port}/v2`;
      const client = startCommand(RUNPOD_PYTHON!, [program('runpod_killed.py'), base], {
        PATH,
        HOME: folder,
      });
      const [ids] = await client.until(/^\[.*\]$/m);
      first.signal('SIGKILL');
      await first.ended;
      await local.start();
      expect({ code: await client.ended, output: client.output() }).toMatchObject({ code: 0 });
      expect(new Set(JSON.parse(ids) as string[]).size).toBe(10);
      expect(JSON.parse(client.output().trim().split('\n').at(-1)!)).toEqual(Array(10).fill('PNG'));
    } finally {
      await local.close();
    }
  },
  240_000,
);
