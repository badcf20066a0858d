// The process dies at each write of a job's life in turn, and the disk is copied at that moment: on the copy the job is made,
// once, whatever the caller had heard.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { build, type Program } from '../support/program.ts';
import { type Answer, call, generate, startStack, urlOf } from './one-machine.ts';

/** More than a start, a job and its end take. */
const MOST = 40;

let comfyui: SimulatedComfyUI;
let root: string;
let running: Program | undefined;
beforeAll(async () => {
  await build();
  comfyui = await startSimulatedComfyUI({ stepMs: 1 });
  root = await mkdtemp(join(tmpdir(), 'killed-'));
});
afterEach(async () => {
  running?.signal('SIGKILL');
  await running?.ended;
});
afterAll(async () => {
  await comfyui.close();
  await rm(root, { recursive: true, force: true, maxRetries: 10 });
});

function start(workspace: string, env?: Record<string, string>): Program {
  running = startStack(workspace, comfyui.port, env);
  return running;
}

/** @returns what the caller heard before the process died; `'lived'`: it made the job and had fewer writes */
async function lifeUntil(
  workspace: string,
  dieAt: number,
  after: boolean,
): Promise<Answer | undefined | 'lived'> {
  const program = start(workspace, { DIE_AT: String(dieAt), DIE_AFTER: String(after) });
  const url = await urlOf(program).catch(() => undefined);
  const accepted = url === undefined ? undefined : await generate(url, 'one');
  for (let ended = false; url !== undefined && accepted !== undefined && !ended;) {
    const state = await call(`${url}/api/status/${String(accepted.json['job_id'])}?wait=20`);
    if (!state) break;
    ended = state.json['status'] === 'completed';
  }
  // Heartbeats are writes too: one that lives on dies by the next of them.
  const isAlive = url !== undefined && (await call(`${url}/api/health`)) !== undefined;
  if (isAlive) return 'lived';
  await program.ended;
  return accepted;
}

describe.each([
  ['before it', false],
  ['when it is on the disk and not answered', true],
])('killed at its n-th write, %s', (_when, after) => {
  test('a job is made once on the disk as it was then', { timeout: 600_000 }, async () => {
    let heard = 0;
    let dieAt = 1;
    for (; dieAt < MOST; dieAt += 1) {
      const workspace = join(root, `${String(after)}-${dieAt}`);
      const accepted = await lifeUntil(workspace, dieAt, after);
      if (accepted === 'lived') break;
      const copy = `${workspace}-copy`;
      await cp(workspace, copy, { recursive: true });
      const url = await urlOf(start(copy));
      if (accepted !== undefined) {
        heard += 1;
        expect(accepted.status).toBe(202);
        // What was heard is so, without another word of the caller.
        expect((await call(`${url}/api/status/${String(accepted.json['job_id'])}`))?.status).toBe(200);
      }
      const again = (await generate(url, 'one'))!;
      expect(again.status).toBe(202);
      if (accepted) expect(again.json['job_id']).toBe(accepted.json['job_id']);
      const jobId = String(again.json['job_id']);
      await expect
        .poll(async () => (await call(`${url}/api/status/${jobId}?wait=5`))?.json['status'], {
          timeout: 60_000,
        })
        .toBe('completed');
      const outputs = (await call(`${url}/api/outputs`))!.json as { images: string[] };
      expect(outputs.images).toHaveLength(1);
      const image = await fetch(`${url}/api/image/${outputs.images[0]}`);
      expect(image.status).toBe(200);
      await image.arrayBuffer();
      running!.signal('SIGKILL');
      await running!.ended;
    }
    // It died at writes of the start, of the acceptance and of the job, and at last lived.
    expect(heard).toBeGreaterThan(0);
    expect(dieAt).toBeGreaterThan(6);
    expect(dieAt).toBeLessThan(MOST);
  });
});
