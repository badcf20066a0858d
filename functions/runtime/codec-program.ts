// Where the program of the threads that convert images lies on a machine: beside a bundle, which build.mjs sees to, or, for the
// sources, where it was built.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './workflows.ts';

export function codecProgram(): string {
  const beside = join(import.meta.dirname, 'image-codec', 'thread.mjs');
  return existsSync(beside) ? beside : join(packageRoot(), '.build', 'image-codec', 'thread.mjs');
}
