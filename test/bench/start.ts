// How long a person waits: from `npm start`, build and all, to the first accepted job.
// A folder of its own each time, and a simulated ComfyUI, as on a fresh machine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { call } from './client.ts';
import { type BenchOptions, median, round, type Row } from './report.ts';
import { announcedUrl, withFolder } from './subjects.ts';

export async function start({ quick }: BenchOptions): Promise<Row[]> {
  const seconds: number[] = [];
  for (let count = 0; count < (quick ? 1 : 5); count += 1) seconds.push(await withFolder(firstAccepted));
  return [
    {
      name: '`npm start` to the first accepted job',
      measured: median(seconds),
      unit: 's',
      target: { atMost: 0.8 },
      note: seconds.map(round).join(', '),
    },
  ];
}

async function firstAccepted(directory: string): Promise<number> {
  const from = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: packageRoot(),
    env: {
      ...process.env,
      API_PORT: '0',
      WORKSPACE_PATH: directory,
      COMFYUI_MODE: 'simulated',
      SIMULATED_STEP_MS: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    // npm does not hand signals on: the whole group gets them.
    detached: true,
  });
  const ended = once(child, 'exit');
  const endWithUs = () => process.kill(-child.pid!, 'SIGKILL');
  process.once('exit', endWithUs);
  try {
    const url = await announcedUrl(child);
    for (;;) {
      const { status } = await call(`${url}/api/generate`, 'POST', { prompt: 'a red fox' });
      if (status === 202) return (performance.now() - from) / 1000;
      await sleep(10);
    }
  } finally {
    process.off('exit', endWithUs);
    process.kill(-child.pid!, 'SIGTERM');
    await ended;
    // npm may be gone before what it started: the folder must not be removed under it.
    while (isAlive(-child.pid!)) await sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
