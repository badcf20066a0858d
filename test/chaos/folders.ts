// Folders that go when a run ends, also where it is ended by a signal.

import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';

const folders = new Set<string>();
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** @returns how to remove it before */
export function goesAtExit(folder: string): () => Promise<void> {
  folders.add(folder);
  return async () => {
    await rm(folder, { recursive: true, force: true });
    folders.delete(folder);
  };
}
