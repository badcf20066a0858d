// How fast a GPU host brings a model from its bucket to its disk: the very program, from a stand-in that costs next to
// nothing. As fast as the machine can, which is CPU, and at S3's pace a connection, which is how many there are.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../../functions/local/child.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { type BenchOptions, median, round, type Row } from './report.ts';
import { log, withFolder } from './subjects.ts';

/**
 * What fetched in order, eight ranges at once, a thread a file, reached here on 2026-11-28 (commit 9930b24, the same
 * stand-in and sizes, in turn with this one, medians of five; 2 cores with a load of 8 to 11).
 */
const BEFORE = { cpuSecondsPerGb: 9.29, seconds: 25.6, atPaceSeconds: 14.75 };

/** A tenth of S3's, so that this machine is never what is slow. */
const PACE = 8;
const HZ = 100;

interface Pull {
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
}

export async function models({ quick }: BenchOptions): Promise<Row[]> {
  const runs = quick ? 1 : 5;
  const fast = await pulls({ SIZE_MB: '2048' }, runs);
  const atPace = await pulls({ SIZE_MB: '768', MB_PER_SECOND: String(PACE) }, quick ? 1 : 3);
  const load = `load ${loadavg().map(round).join(', ')}`;
  const of = (some: Pull[], what: keyof Pull) => median(some.map((pull) => pull[what]));
  return [
    {
      name: 'a model of 2.1 GB, as fast as this machine can',
      measured: BEFORE.seconds / of(fast, 'seconds'),
      unit: '× faster than before',
      target: { atLeast: 2 },
      note: `${fast.map(({ seconds }) => round(seconds)).join(', ')} s; before ${BEFORE.seconds} s; ${load}`,
    },
    {
      name: 'CPU a GB, all threads',
      measured: of(fast, 'cpuSeconds') / 2.147,
      unit: 's',
      target: { atMost: BEFORE.cpuSecondsPerGb / 2 },
      note: `before ${BEFORE.cpuSecondsPerGb} s`,
    },
    {
      name: `a model of 805 MB at ${PACE} MB/s a connection`,
      measured: BEFORE.atPaceSeconds / of(atPace, 'seconds'),
      unit: '× faster than before',
      target: { atLeast: 2 },
      note: `${atPace.map(({ seconds }) => round(seconds)).join(', ')} s; before ${BEFORE.atPaceSeconds} s`,
    },
    {
      name: 'memory while a model comes, at most',
      measured: Math.max(...[...fast, ...atPace].map(({ peakMb }) => peakMb)),
      unit: 'MB',
      target: { atMost: 200 },
    },
  ];
}

async function pulls(env: Record<string, string>, runs: number): Promise<Pull[]> {
  const program = (name: string) => join(packageRoot(), '.build', `${name}.mjs`);
  const server = await startChild<{ url: string }>(
    'the stand-in of S3',
    program('range-server'),
    { ...process.env, ...env },
    log,
    () => ({}),
  );
  try {
    const all: Pull[] = [];
    for (let run = 0; run < runs; run += 1)
      all.push(await withFolder((directory) => pull(program('pull-models'), server.ready.url, directory)));
    return all;
  } finally {
    await server.stop();
  }
}

/** What the kernel counts of a process is read while it lives: what its last tenth of a second took is not in it. */
async function pull(program: string, url: string, directory: string): Promise<Pull> {
  const from = performance.now();
  const child = spawn(process.execPath, [program, 'pull'], {
    env: {
      PATH: process.env['PATH'],
      AWS_ACCESS_KEY_ID: 'bench',
      AWS_SECRET_ACCESS_KEY: 'bench',
      AWS_ENDPOINT_URL_S3: url,
      MODELS_BUCKET: 'models',
      MODELS_PATH: directory,
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let ended = false;
  const exit = once(child, 'exit').finally(() => (ended = true));
  let cpuSeconds = 0;
  let peakMb = 0;
  while (!ended) {
    const at = `/proc/${child.pid}`;
    try {
      const [user, system] = readFileSync(`${at}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
      cpuSeconds = (Number(user) + Number(system)) / HZ;
      peakMb =
        Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`${at}/status`, 'utf8'))?.[1] ?? peakMb * 1024) / 1024;
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    await Promise.race([sleep(50), exit]);
  }
  const [code] = (await exit) as [number];
  if (code !== 0) throw new Error(`the pull ended with ${code}`);
  return { seconds: (performance.now() - from) / 1000, cpuSeconds, peakMb };
}
