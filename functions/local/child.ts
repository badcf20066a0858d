// A child process that ends with its parent and, if it ends before, is restarted as often as needed: what ends it, such as
// a full disk, may pass. Its environment says what it does; its first message reports that it is ready.

import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../core/errors.ts';
import type { Log } from '../log.ts';

export interface Child<Ready> {
  ready: Ready;
  pid(): number | undefined;
  stop(): Promise<void>;
}

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5000;

/**
 * @param again environment of a restart, such as the port of the first start
 * @throws AppError if the child ends before it is ready for the first time; it has printed why to stderr
 */
export async function startChild<Ready>(
  name: string,
  module: string,
  env: NodeJS.ProcessEnv,
  log: Log,
  again: (ready: Ready) => NodeJS.ProcessEnv,
): Promise<Child<Ready>> {
  let stopping = false;
  let child!: ChildProcess;

  const start = async (more: NodeJS.ProcessEnv): Promise<Ready> => {
    const started = fork(module, [], {
      env: { ...env, ...more },
      // Errors of the child go to this process's stderr; its stdout is dropped.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--max-semi-space-size=4'],
    });
    child = started;
    const ready = await new Promise<Ready>((resolve, reject) => {
      started.once('message', (message) => resolve(message as Ready));
      started.once('error', reject);
      started.once('exit', (code) =>
        reject(
          new AppError(
            'bad_setting',
            `${name} ended at its start with code ${code}; its lines above say why`,
          ),
        ),
      );
    });
    started.once('exit', (code, signal) => {
      if (stopping) return;
      log.warn('child.ended', { program: name, exitCode: code, signal });
      void comeBack(ready);
    });
    return ready;
  };

  async function comeBack(ready: Ready): Promise<void> {
    for (let pause = FIRST_PAUSE; !stopping; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        await start(again(ready));
      } catch (error) {
        log.error('child.restart_failed', error, { program: name });
        await sleep(pause, undefined, { ref: false });
        continue;
      }
      return;
    }
  }

  const ready = await start({});
  return {
    ready,
    pid: () => child.pid,
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
}
