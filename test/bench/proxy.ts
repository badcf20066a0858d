// comfy-api-proxy, the reference proxy of the Comfy API v2, from PyPI: installed once into .build, where Python is there.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { freePort } from '../support/free-port.ts';
import { call } from './client.ts';
import { memoryOf } from './subjects.ts';
import { type V2Client, v2Client } from './v2-client.ts';

const run = promisify(execFile);
const VERSION = '0.1.6';
const FOLDER = join(packageRoot(), '.build', `comfy-api-proxy-${VERSION}`);

export interface Proxy extends V2Client {
  /** Of its process, MB. */
  memory(): Promise<number>;
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
  const api = `http://127.0.0.1:${port}`;
  try {
    for (let tries = 0; ; tries += 1) {
      const answers = await call(`${api}/api/v2/jobs?limit=1`).catch(() => undefined);
      if (answers) break;
      if (tries === 200) throw new Error('comfy-api-proxy does not answer');
      await sleep(50);
    }
    return await work({ ...v2Client(api), memory: () => memoryOf(child.pid!) }, '');
  } finally {
    process.off('exit', endWithUs);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}
