// Starts child.ts, bundled, as another process on a folder of tables.

import { build } from 'esbuild';
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Attributes } from '../../../functions/store/engine.ts';
import { packageRoot } from '../../../functions/runtime/workflows.ts';
import type { Asked } from './child.ts';

export interface Other {
  /** One at a time. @returns its answer @throws Error if it ends before */
  ask(asked: Asked): Promise<unknown>;
  /** Begins what has no end. */
  begin(asked: Asked): void;
  /** Resolves when its output has so many lines. */
  said(lines: number): Promise<string[]>;
  /** By SIGKILL. Resolves when it has ended. @returns the whole lines of its output */
  kill(): Promise<string[]>;
}

let bundled: Promise<string> | undefined;

/** Beside the programs of build.mjs, from where lmdb is found. */
function bundle(): Promise<string> {
  const outfile = join(packageRoot(), '.build', `store-child-${process.pid}.mjs`);
  return (bundled ??= build({
    entryPoints: [join(import.meta.dirname, 'child.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile,
  }).then(() => outfile));
}

export async function startOther(directory: string): Promise<Other> {
  const child: ChildProcess = fork(await bundle(), [directory], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let output = '';
  let changed: () => void = () => undefined;
  child.stdout!.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
    changed();
  });
  const closed = once(child, 'close');
  const answered = async (): Promise<unknown> => {
    const [told] = (await Promise.race([
      once(child, 'message'),
      closed.then(() => {
        throw new Error('The other process has ended');
      }),
    ])) as [{ told: unknown }];
    return told.told;
  };
  const whole = () => output.split('\n').slice(0, -1);
  await answered();
  return {
    ask(asked) {
      const answer = answered();
      child.send(asked);
      return answer;
    },
    begin: (asked) => void child.send(asked),
    async said(lines) {
      while (whole().length < lines)
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      return whole();
    },
    async kill() {
      child.kill('SIGKILL');
      await closed;
      return whole();
    },
  };
}

/** Another process puts an item and ends, while this one stands still. */
export async function prepareToPutElsewhere(directory: string): Promise<(item: Attributes) => void> {
  const program = await bundle();
  return (item) => {
    execFileSync(process.execPath, [program, directory, JSON.stringify(item)]);
  };
}
