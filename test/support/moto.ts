// moto's server (PyPI `moto[server]`) as AWS, where it is installed. Ends what it started.

import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

/** Tests that need it say so where it is absent: `describe.skipIf(!hasMoto)`. */
export const hasMoto = spawnSync('moto_server', ['--help'], { stdio: 'ignore' }).status === 0;

export interface Moto {
  url: string;
  /** Forgets everything. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const START_LIMIT = 60_000;

export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const until = Date.now() + START_LIMIT;
  while (
    !(await fetch(`${url}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || Date.now() > until) throw new Error('moto_server did not start');
    await sleep(100);
  }
  return {
    url,
    reset: async () => void (await fetch(`${url}/moto-api/reset`, { method: 'POST' })),
    close() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
