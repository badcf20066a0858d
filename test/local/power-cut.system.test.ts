// The power is cut: what was answered is there, on a disk that has only what was written to it by then. A file system
// in a file of ours is mounted, and copied at the moment of the cut: what the system still holds in memory is not in it.

import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, type Program, startProgram } from '../support/program.ts';

const run = promisify(execFile);
const directory = await mkdtemp(join(tmpdir(), 'power-'));
const at = (name: string) => join(directory, name);
const mounts: string[] = [];
const programs: Program[] = [];

async function mountImage(image: string): Promise<string> {
  const folder = `${image}.mounted`;
  await mkdir(folder);
  await run('mount', ['-o', 'loop', image, folder]);
  mounts.push(folder);
  return folder;
}

/** Where this user may do that. */
const disk = await run('truncate', ['-s', '128M', at('disk')])
  .then(() => run('mkfs.ext4', ['-q', '-F', at('disk')]))
  .then(
    () => mountImage(at('disk')),
    () => undefined,
  );
beforeAll(() => build());
afterAll(async () => {
  for (const program of programs) program.signal('SIGKILL');
  await Promise.all(programs.map(({ ended }) => ended));
  for (const folder of mounts) await run('umount', ['-l', folder]);
  await rm(directory, { recursive: true, force: true });
});

/** @param folder the disk as it is now; after a power cut it is where it was before, or it would be a copy */
async function start(folder: string, stepMs: number): Promise<{ url: string; program: Program }> {
  await rm(at('here'), { force: true });
  await symlink(folder, at('here'));
  const program = startProgram('local', {
    WORKSPACE_PATH: join(at('here'), 'workspace'),
    API_PORT: '0',
    SIMULATED_STEP_MS: String(stepMs),
    COMFYUI_MODE: 'simulated',
  });
  programs.push(program);
  return { url: (await program.until(/REST API\s+(http:\S+)[^]*Stop: Ctrl-C/))[1]!, program };
}

async function statusOf(url: string, jobId: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/api/status/${jobId}`)).json()) as Record<string, unknown>;
}

async function completed(url: string, jobId: string): Promise<Record<string, unknown>> {
  await expect
    .poll(async () => (await statusOf(url, jobId))['status'], { timeout: 15_000 })
    .toBe('completed');
  return statusOf(url, jobId);
}

async function generate(url: string): Promise<string> {
  const response = await fetch(`${url}/api/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: 'a red fox', width: 256, height: 320, steps: 4 }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { job_id: string }).job_id;
}

describe.skipIf(disk === undefined)('a power cut', () => {
  test(
    'takes no job that was accepted, and no image of one that had ended',
    { timeout: 60_000 },
    async () => {
      const before = await start(disk!, 40);
      const first = await generate(before.url);
      await completed(before.url, first);
      const second = await generate(before.url);
      // Nothing else of this process runs meanwhile, and the disk has had no time to be written to by itself.
      execFileSync('cp', ['--sparse=always', at('disk'), at('cut')]);
      before.program.signal('SIGKILL');
      await before.program.ended;

      const after = await start(await mountImage(at('cut')), 5);
      expect(await statusOf(after.url, first)).toMatchObject({ status: 'completed', attempts: 1 });
      const { output_image: name } = await statusOf(after.url, first);
      const image = await fetch(`${after.url}/api/image/${String(name)}`);
      const png = PNG.sync.read(Buffer.from(await image.arrayBuffer()));
      expect([png.width, png.height]).toEqual([256, 320]);
      await completed(after.url, second);
    },
  );
});
