// A program of the product as a real process: started, killed, stopped and started again, as systemd would when it
// ends by itself. Ends only what it started, by id.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessOptions {
  name: string;
  module: string;
  /** Asked for at each start. */
  env: () => Record<string, string>;
  execArgv?: string[];
  /** Where its errors go; they are appended. */
  log: string;
  onReady?: (ready: Record<string, unknown>) => void;
  onMessage?: (message: Record<string, unknown>) => void;
  onDown?: () => void;
}

export interface Process {
  readonly name: string;
  readonly running: boolean;
  /** While it runs. */
  readonly pid: number | undefined;
  /** Resolves when it has said that it is ready, however often it has to be started. */
  start(): Promise<void>;
  /** Resolves when it has ended; it stays down until `start`. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string>;
  /** Ends it for good. */
  retire(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  send(message: object): void;
  exits: { at: number; how: number | string; wanted: boolean }[];
}

const AGAIN_AFTER = 250;
const READY_WITHIN = 15_000;

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export function createProcess(options: ProcessOptions): Process {
  let child: ChildProcess | undefined;
  let wanted = false;
  let retired = false;
  let ready: Promise<void> = Promise.resolve();

  function launch(): Promise<void> {
    const log = openSync(options.log, 'a');
    const started = fork(options.module, [], {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env() },
      stdio: ['ignore', 'ignore', log, 'ipc'],
      execArgv: options.execArgv ?? [],
    });
    closeSync(log);
    child = started;
    alive.add(started);
    return new Promise((resolve) => {
      const late = setTimeout(() => started.kill('SIGKILL'), READY_WITHIN);
      let isReady = false;
      started.on('message', (message: Record<string, unknown>) => {
        if (isReady) return options.onMessage?.(message);
        isReady = true;
        clearTimeout(late);
        options.onReady?.(message);
        resolve();
      });
      started.on('error', () => undefined);
      started.once('exit', (code, signal) => {
        clearTimeout(late);
        alive.delete(started);
        result.exits.push({ at: Date.now(), how: signal ?? code ?? 'unknown', wanted: !wanted });
        options.onDown?.();
        if (!wanted || child !== started) return resolve();
        const again = sleep(AGAIN_AFTER).then(() => (wanted && child === started ? launch() : undefined));
        ready = again;
        void again.then(resolve);
      });
    });
  }

  const isUp = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  const result: Process = {
    name: options.name,
    exits: [],
    get running() {
      return isUp();
    },
    get pid() {
      return isUp() ? child?.pid : undefined;
    },
    start() {
      if (!wanted && !retired) {
        wanted = true;
        ready = launch();
      }
      return ready;
    },
    async end(signal) {
      wanted = false;
      const ending = child;
      if (!ending || !isUp()) return 0;
      const exit = once(ending, 'exit') as Promise<[number | null, string | null]>;
      ending.kill(signal);
      const [code, by] = await exit;
      return by ?? code ?? 'unknown';
    },
    async retire() {
      retired = true;
      await result.end('SIGKILL');
    },
    signal: (signal) => void (isUp() && child?.kill(signal)),
    send(message) {
      if (isUp() && child?.connected) child.send(message, () => undefined);
    },
  };
  return result;
}
