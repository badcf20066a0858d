// Our programs as real processes, from the bundles that `npm start` runs. Ends only what it started, by id.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { packageRoot } from '../../functions/runtime/workflows.ts';

const run = promisify(execFile);

/** Bundles the sources as they are, once a run of tests (build.ts). */
export async function build(): Promise<void> {
  const response = await fetch(inject('buildUrl'));
  if (!response.ok) throw new Error(await response.text());
}

export interface Program {
  pid: number;
  /** Both streams, so far. */
  output(): string;
  stderr(): string;
  /** Resolves when the output matches; rejects when the program ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** The exit code, or the signal. */
  ended: Promise<number | string>;
  signal(signal: NodeJS.Signals): void;
  /** As a terminal that closes and a `head` that has enough: nobody reads what it says from here on. */
  stopReading(): void;
  /** Ends it and what it started. */
  stop(): void;
}

/** @param env beside PATH and HOME nothing is inherited */
export function startProgram(
  name:
    | 'local'
    | 'generate'
    | 'keys'
    | 'simulate'
    | 'deploy'
    | 'doctor'
    | 'smoke'
    | 'api'
    | 'forwarder'
    | 'controller'
    | 'webhooks'
    | 'host',
  env: Record<string, string>,
  args: string[] = [],
): Program {
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
  const module = join(packageRoot(), '.build', `${name}.mjs`);
  return startCommand(process.execPath, [module, ...args], { ...inherited, ...env });
}

/** A process group of its own, so that `stop` reaches what npm and a shell put between. */
export function startCommand(
  command: string,
  args: string[],
  env: Record<string, string>,
  cwd = process.cwd(),
): Program {
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  let stderr = '';
  let changed: () => void = () => undefined;
  let exited = false;
  const take = (isError: boolean) => (chunk: Buffer) => {
    output += chunk.toString('utf8');
    if (isError) stderr += chunk.toString('utf8');
    changed();
  };
  child.stdout!.on('data', take(false));
  child.stderr!.on('data', take(true));
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      exited = true;
      changed();
      resolve(code ?? signal ?? 'unknown');
    });
  });
  return {
    pid: child.pid!,
    output: () => output,
    stderr: () => stderr,
    ended,
    signal: (signal) => void child.kill(signal),
    stopReading() {
      child.stdout!.destroy();
      child.stderr!.destroy();
    },
    stop() {
      if (!exited) process.kill(-child.pid!, 'SIGKILL');
    },
    async until(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match) return match;
        if (exited) throw new Error(`ended without ${String(pattern)}:\n${output}`);
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      }
    },
  };
}

/** The ids of a process's children, while it lives. Linux only. */
export async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.split('\n').map(Number).filter(Boolean);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
