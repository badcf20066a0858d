// What is measured: the product as its real processes in a folder of its own, and the ComfyUI that it shares with the
// bare client. Whatever was started ends with the bench.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Graph } from '../../functions/core/object-info.ts';
import { startChild } from '../../functions/local/child.ts';
import { programOf } from '../../functions/local/programs.ts';
import { createLog } from '../../functions/log.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import type { BenchOptions } from './report.ts';

export const log = createLog('bench', 'warn');
export const WORKFLOWS = join(packageRoot(), 'test', 'bench', 'workflows');

/** A folder that is gone afterwards. */
export async function withFolder<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The template's graph with some fields set: what the bare client posts. */
export async function graphOf(name: 'instant' | 'slow', fields: Record<string, unknown>): Promise<Graph> {
  const graph = JSON.parse(await readFile(join(WORKFLOWS, `${name}.json`), 'utf8')) as Graph;
  for (const { inputs } of Object.values(graph))
    for (const [field, value] of Object.entries(fields)) if (field in inputs) inputs[field] = value;
  return graph;
}

export async function withSimulatedComfyUI<T>(
  work: (url: string, directory: string) => Promise<T>,
): Promise<T> {
  return withFolder(async (directory) => {
    const env = { ...process.env, PORT: '0', DIRECTORY: directory };
    const child = await startChild<{ url: string }>(
      'the simulated ComfyUI',
      programOf('simulated-comfyui'),
      env,
      log,
      () => ({}),
    );
    try {
      return await work(child.ready.url, directory);
    } finally {
      await child.stop();
    }
  });
}

export interface Product {
  url: string;
  /** Its workspace. */
  directory: string;
  /** MB of resident memory, of the process and its children. */
  memory(): Promise<number>;
}

/** @param workflows undefined: those that the product comes with. @param env settings beside these */
export async function withProduct<T>(
  { profile }: BenchOptions,
  comfyuiUrl: string,
  workflows: string | undefined,
  work: (product: Product) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const { hostname, port } = new URL(comfyuiUrl);
  return withFolder(async (directory) => {
    const profiling = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profile];
    const child = spawn(
      process.execPath,
      [...profiling, '--max-semi-space-size=4', join(packageRoot(), '.build', 'local.mjs')],
      {
        env: {
          ...process.env,
          API_PORT: '0',
          WORKSPACE_PATH: directory,
          COMFYUI_HOST: hostname,
          COMFYUI_PORT: port || '80',
          ...(workflows === undefined ? {} : { WORKFLOWS_PATH: workflows }),
          ...env,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    try {
      const url = await announcedUrl(child);
      return await work({ url, directory, memory: () => memoryOf(child.pid!) });
    } finally {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      process.off('exit', endWithUs);
    }
  });
}

/** What `npm start` says when it is up. */
export function announcedUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const url = /REST API\s+(http:\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`the product ended at its start with code ${code}`)));
  });
}

/** MB, of a process and all below it. */
export async function memoryOf(pid: number): Promise<number> {
  const ps = spawn('ps', ['-A', '-o', 'pid=,ppid=,rss='], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  ps.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await once(ps, 'close');
  const rows = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = new Set([pid]);
  // Children come after their parents, unless the numbers wrapped: a few rounds find them all.
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const [child, parent] of rows) if (family.has(parent!)) family.add(child!);
  }
  return rows.filter(([child]) => family.has(child!)).reduce((sum, [, , rss]) => sum + rss!, 0) / 1024;
}
