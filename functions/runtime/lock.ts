// An exclusive hold on a folder for as long as the process lives. The operating system lets go of it when the
// process ends, however it ends, so there is nothing stale to judge. LevelDB's lock is used for its portability.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import { AppError } from '../core/errors.ts';
import { isDiskFull } from '../core/disk-full.ts';

export interface Lock {
  release(): Promise<void>;
}

/** Undefined: a live process has it. */
export async function tryLock(directory: string): Promise<Lock | undefined> {
  await mkdir(directory, { recursive: true });
  const level = new ClassicLevel(directory);
  try {
    await level.open();
  } catch (error) {
    const cause = (error as { cause?: { code?: string } }).cause;
    if (cause?.code === 'LEVEL_LOCKED') return undefined;
    throw error;
  }
  return { release: () => level.close() };
}

/** For a folder whose former process is about to end. */
export async function waitForLock(directory: string): Promise<Lock> {
  for (;;) {
    const lock = await tryLock(directory);
    if (lock) return lock;
    await sleep(20);
  }
}

/** @param path as WORKSPACE_PATH has it. @throws AppError bad_setting where the folder cannot be written */
export async function tryLockIn(path: string, name: string): Promise<Lock | undefined> {
  try {
    return await tryLock(join(path, name));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (isDiskFull(error))
      throw new AppError('bad_setting', `The disk of ${path} is full: make room, then start again`, {
        field: 'WORKSPACE_PATH',
      });
    throw new AppError(
      'bad_setting',
      `WORKSPACE_PATH must be a folder that can be written; ${path}: ${code ?? message}`,
    );
  }
}
