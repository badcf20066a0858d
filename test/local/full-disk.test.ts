// `npm start` on a disk that is full: says so, and goes on when there is room again.

import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), 'disk-'));
/** Where this user may mount. */
const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', disk]).then(
  () => true,
  () => false,
);
let program: Program | undefined;
beforeAll(() => build());
afterAll(async () => {
  program?.signal('SIGKILL');
  await program?.ended;
  if (mounted) await run('umount', ['-l', disk]);
  await rm(disk, { recursive: true, force: true });
});

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (;;) await file.write(Buffer.alloc(2 ** 16));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    await file.close();
  }
}

describe.skipIf(!mounted)('a full disk', () => {
  test(
    'is named, costs nothing that was accepted, and is forgotten when there is room',
    { timeout: 60_000 },
    async () => {
      program = startProgram('local', {
        WORKSPACE_PATH: join(disk, 'workspace'),
        API_PORT: '0',
        SIMULATED_STEP_MS: '5',
        COMFYUI_MODE: 'simulated',
      });
      const [, url] = (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/)) as unknown as [
        string,
        string,
      ];
      const accepted: string[] = [];
      const generate = async () => {
        const response = await fetch(`${url}/api/generate`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 256, steps: 4 }),
        });
        const { job_id: jobId } = (await response.json()) as { job_id?: string };
        if (jobId !== undefined) accepted.push(jobId);
        return response.status;
      };
      const status = async (jobId: string) =>
        (await (await fetch(`${url}/api/status/${jobId}`)).json()) as Record<string, unknown>;
      const ended = async (jobId: string) =>
        ['completed', 'failed'].includes(String((await status(jobId))['status']));

      expect(await generate()).toBe(202);
      await expect.poll(() => ended(accepted[0]!), { timeout: 10_000 }).toBe(true);
      await fill(join(disk, 'filler'));
      await expect.poll(generate, { timeout: 10_000 }).toBe(503);
      await program.until(/The job table cannot be written: .*No space left on device/);
      await rm(join(disk, 'filler'));
      await expect.poll(generate, { timeout: 15_000 }).toBe(202);
      for (const jobId of accepted) await expect.poll(() => ended(jobId), { timeout: 15_000 }).toBe(true);
      expect(await status(accepted.at(-1)!)).toMatchObject({ status: 'completed', error: null });
    },
  );
});
