// `npm start` on a machine whose clock is set while it runs: libfaketime sets it, for the product and its children.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';

const library = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

let directory: string;
let program: Program | undefined;
beforeAll(() => build());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'clock-'));
});
afterEach(async () => {
  program?.signal('SIGKILL');
  await program?.ended;
  await rm(directory, { recursive: true, force: true, maxRetries: 10 });
});

const set = (offset: string) => writeFile(join(directory, 'offset'), offset);

async function start(): Promise<string> {
  await set('+0');
  program = startProgram('local', {
    LD_PRELOAD: library!,
    FAKETIME_TIMESTAMP_FILE: join(directory, 'offset'),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    WORKSPACE_PATH: join(directory, 'workspace'),
    API_PORT: '0',
    SIMULATED_STEP_MS: '600',
    COMFYUI_MODE: 'simulated',
  });
  return (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!;
}

describe.skipIf(library === undefined)('a clock that is set (skipped: faketime is not installed)', () => {
  test('by 25 hours forward and 2 back expires no job, freezes no progress, and is told once each', async () => {
    const url = await start();
    const call = async (path: string, body?: object) => {
      const headers = { 'content-type': 'application/json' };
      const init = body && { method: 'POST', headers, body: JSON.stringify(body) };
      const answer = await fetch(url + path, init);
      expect(answer.ok).toBe(true);
      return (await answer.json()) as Record<string, unknown>;
    };
    const generate = async (steps: number) =>
      String((await call('/api/generate', { prompt: 'a fox', width: 256, height: 256, steps }))['job_id']);
    const status = (jobId: string) => call(`/api/status/${jobId}`);
    const progress = async (jobId: string) => Number((await status(jobId))['progress']);

    const running = await generate(50);
    await expect.poll(() => progress(running), { timeout: 10_000 }).toBeGreaterThan(0);
    // One in each slot, and one that waits for a slot.
    const held = await generate(50);
    const waiting = await generate(1);

    for (const [offset, line] of [
      ['+25h', /the clock jumped by 25 h/g],
      ['+23h', /the clock was set back by 2 h/g],
    ] as const) {
      const before = await progress(running);
      await set(offset);
      await expect.poll(() => program!.stderr().match(line), { timeout: 8000 }).toHaveLength(1);
      await expect.poll(() => progress(running), { timeout: 4000 }).toBeGreaterThan(before);
      // A round of the controller and more.
      await new Promise((resolve) => setTimeout(resolve, 6000));
      expect(await status(running)).toMatchObject({ status: 'processing', attempts: 1 });
      expect(await status(waiting)).toMatchObject({ status: 'queued', error: null });
      expect(await call('/api/health')).toMatchObject({ status: 'healthy' });
      expect(program!.stderr().match(line)).toHaveLength(1);
    }
    expect(program!.stderr()).not.toContain('sweep.reclaimed');

    for (const jobId of [running, held]) await fetch(`${url}/api/queue/${jobId}`, { method: 'DELETE' });
    await expect.poll(async () => (await status(waiting))['status'], { timeout: 15_000 }).toBe('completed');
    expect((await status(running))['status']).toBe('cancelled');
    program!.signal('SIGTERM');
    expect(await program!.ended).toBe(0);
  }, 60_000);
});
