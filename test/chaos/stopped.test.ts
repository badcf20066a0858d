// The process of one machine is stopped for a minute with jobs under way and goes on, as in a container that is frozen:
// longer than a host may be silent. Callers send jobs meanwhile, ComfyUI works on, and in two cases `npm run keys` writes to
// the tables: also where the process holds the lock of lmdb's writers. No job is lost, and ComfyUI gets none twice.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, test } from 'vitest';
import { startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { build, type Program, startProgram } from '../support/program.ts';
import { call, generate, startStack, urlOf } from './one-machine.ts';

const MINUTE = 60_000;
const KEY = /^ck_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/m;

const run = promisify(execFile);
const undone: (() => Promise<unknown>)[] = [];
let root: string;
beforeAll(async () => {
  await build();
  root = await mkdtemp(join(tmpdir(), 'stopped-'));
});
afterAll(async () => {
  await Promise.all(undone.map((undo) => undo()));
  await rm(root, { recursive: true, force: true, maxRetries: 10 });
});

async function isStopped({ pid }: Program): Promise<boolean> {
  return (await run('ps', ['-o', 'stat=', '-p', String(pid)])).stdout.startsWith('T');
}

/** `npm run keys -- create`. */
function drawKey(workspace: string, name: string) {
  const program = startProgram('keys', { WORKSPACE_PATH: workspace }, ['create', '--name', name]);
  undone.push(() => {
    program.signal('SIGKILL');
    return program.ended;
  });
  return program.until(KEY).then(([key]) => key);
}

test.concurrent.for([
  ['and continued', 'SIGSTOP', false],
  ['while npm run keys writes', 'SIGSTOP', true],
  ['in the middle of a write, for which npm run keys waits', 'SIGUSR2', true],
] as const)(
  'stopped for a minute, %s: no job is lost or made twice',
  { timeout: 3 * MINUTE },
  async (how, { expect }) => {
    const [, signal, keysWrite] = how;
    const workspace = await mkdtemp(join(root, 'workspace-'));
    const prompts: string[] = [];
    const comfyui = await startSimulatedComfyUI({
      stepMs: 100,
      watcher: { queued: ([, promptId]) => void prompts.push(promptId) },
    });
    undone.push(() => comfyui.close());
    const key = await drawKey(workspace, 'alice');
    const program = startStack(workspace, comfyui.port, { API_KEYS: 'required' });
    undone.push(() => {
      program.signal('SIGKILL');
      return program.ended;
    });
    const url = await urlOf(program);
    const headers = { 'x-api-key': key };
    const statusOf = async (jobId: string) => (await call(`${url}/api/status/${jobId}`, { headers }))!.json;
    const submit = async (n: number) => {
      const accepted = await generate(url, `job-${n}`, headers);
      expect(accepted?.status).toBe(202);
      return String(accepted!.json['job_id']);
    };

    const jobs = await Promise.all(Array.from({ length: 12 }, (_, n) => submit(n)));
    await expect.poll(async () => (await statusOf(jobs[0]!))['status']).toBe('completed');
    program.signal(signal);
    await expect.poll(() => isStopped(program)).toBe(true);
    const later = Promise.all([12, 13, 14].map(submit));
    const drawn = keysWrite ? drawKey(workspace, 'bob') : undefined;
    // That it lasts is the fault.
    await sleep(MINUTE);
    expect(await isStopped(program)).toBe(true);
    program.signal('SIGCONT');

    jobs.push(...(await later));
    for (const jobId of jobs) {
      await expect.poll(() => statusOf(jobId)).toMatchObject({ status: 'completed', attempts: 1 });
    }
    expect(new Set(jobs).size).toBe(15);
    expect(prompts).toHaveLength(15);
    const outputs = (await call(`${url}/api/outputs`, { headers }))!.json as { images: string[] };
    expect(outputs.images).toHaveLength(15);
    for (const image of outputs.images) {
      const served = await fetch(`${url}/api/image/${image}`, { headers });
      expect(served.status).toBe(200);
      await served.arrayBuffer();
    }
    // The same submission again is the same job.
    expect(await submit(14)).toBe(jobs[14]);
    if (drawn) {
      const asBob = { headers: { 'x-api-key': await drawn } };
      expect((await call(`${url}/api/workflows`, asBob))?.status).toBe(200);
    }
    expect((await call(`${url}/api/health`, { headers }))?.status).toBe(200);
  },
);
