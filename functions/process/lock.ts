// An exclusive hold on a folder for as long as the process lives. The operating system lets go of it when the
// process ends, however it ends, so there is nothing stale to judge. LevelDB's lock is used for its portability.

import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';

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
