// comfy-api-proxy, the reference proxy of the Comfy API v2, from PyPI: installed once into .build, where Python is there.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Graph } from '../../functions/core/object-info.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { freePort } from '../support/free-port.ts';
import { call, callJson } from './client.ts';

const run = promisify(execFile);
const VERSION = '0.1.6';
const FOLDER = join(packageRoot(), '.build', `comfy-api-proxy-${VERSION}`);

export interface Proxy {
  submit(graph: Graph): Promise<string>;
  /** Asks every `every` ms until the job has ended. Undefined: the proxy calls it lost. */
  collect(jobId: string, every: number): Promise<Buffer | undefined>;
}

interface Job {
  id: string;
  status: string;
  outputs: { url: string }[];
}

/** @returns why there is none */
async function install(): Promise<string | undefined> {
  const program = join(FOLDER, 'bin', 'comfy-api-proxy');
  if (existsSync(program)) return undefined;
  try {
    await run('python3', ['-m', 'venv', FOLDER]);
    await run(join(FOLDER, 'bin', 'pip'), ['install', '--quiet', `comfy-api-proxy==${VERSION}`]);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

/** @param work gets undefined, and why, where the proxy cannot be installed */
export async function withProxy<T>(
  comfyui: string,
  work: (proxy: Proxy | undefined, why: string) => Promise<T>,
): Promise<T> {
  const why = await install();
  if (why !== undefined) return work(undefined, why);
  const port = await freePort();
  const child = spawn(
    join(FOLDER, 'bin', 'comfy-api-proxy'),
    ['run', '--comfyui', comfyui, '--port', String(port)],
    { stdio: 'ignore' },
  );
  const endWithUs = () => child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const jobs = `http://127.0.0.1:${port}/api/v2/jobs`;
  try {
    for (let tries = 0; ; tries += 1) {
      const answers = await call(`${jobs}?limit=1`).catch(() => undefined);
      if (answers) break;
      if (tries === 200) throw new Error('comfy-api-proxy does not answer');
      await sleep(50);
    }
    return await work(
      {
        submit: async (graph) => (await callJson<Job>(jobs, 'POST', { workflow: graph })).id,
        async collect(jobId, every) {
          for (;;) {
            const askedAt = performance.now();
            const { status, outputs } = await callJson<Job>(`${jobs}/${jobId}`);
            if (status === 'succeeded') return (await call(outputs[0]!.url)).body;
            if (!['queued', 'running', 'in_progress', 'pending'].includes(status)) return undefined;
            await sleep(Math.max(0, askedAt + every - performance.now()));
          }
        },
      },
      '',
    );
  } finally {
    process.off('exit', endWithUs);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}
