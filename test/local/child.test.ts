// A child that is started again, as often as it takes.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Child, startChild } from '../../functions/local/child.ts';
import { createLog } from '../../functions/log.ts';
import { isAlive } from '../support/program.ts';

let directory: string;
let module: string;
let events: string[];
let child: Child<{ port: string }> | undefined;
const log = createLog('test', 'debug', (line) => {
  events.push((JSON.parse(line) as { event: string }).event);
});
const flag = () => join(directory, 'broken');

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'child-'));
  module = join(directory, 'child.mjs');
  // Says where it is, and cannot start while it is broken.
  await writeFile(
    module,
    `import { existsSync } from 'node:fs';
     if (existsSync(${JSON.stringify(flag())})) process.exit(3);
     process.on('disconnect', () => process.exit(0));
     process.send({ port: process.env.PORT ?? 'first' });`,
  );
  events = [];
});
afterEach(async () => {
  await child?.stop();
  child = undefined;
  await rm(directory, { recursive: true, force: true });
});

const start = () => startChild('it', module, {}, log, ({ port }: { port: string }) => ({ PORT: port }));

test('one that cannot start at first is an error of whoever starts it', async () => {
  await writeFile(flag(), '');
  await expect(start()).rejects.toThrow('it ended at its start with code 3');
});

test('what keeps it down may pass: it is tried until it is up', async () => {
  child = await start();
  const first = child.pid()!;
  await writeFile(flag(), '');
  process.kill(first, 'SIGKILL');
  const failures = () => events.filter((event) => event === 'child.restart_failed').length;
  await expect.poll(failures, { timeout: 5000 }).toBeGreaterThan(2);
  await rm(flag());
  const started = () => {
    const pid = child!.pid()!;
    return pid !== first && isAlive(pid);
  };
  await expect.poll(started, { timeout: 5000 }).toBe(true);
  const settled = failures();
  // It stays up: the same process, and no more tries.
  const now = child.pid();
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect([child.pid(), failures()]).toEqual([now, settled]);
});

test('one that is stopped while it is down stays down', async () => {
  child = await start();
  await writeFile(flag(), '');
  process.kill(child.pid()!, 'SIGKILL');
  await expect.poll(() => events.some((event) => event === 'child.restart_failed')).toBe(true);
  await child.stop();
  await rm(flag());
  const last = child.pid();
  await new Promise((resolve) => setTimeout(resolve, 1200));
  expect(child.pid()).toBe(last);
});
