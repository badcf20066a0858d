// Where the files of the pages lie on a machine: beside a bundle, which build.mjs sees to, or, for the sources, in the package
// that the docs page comes from and in what was built last.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './workflows.ts';

export function docsFolder(): string {
  const beside = join(import.meta.dirname, 'docs');
  return existsSync(beside) ? beside : join(packageRoot(), 'node_modules', 'swagger-ui-dist');
}

export function consoleFolder(): string {
  const beside = join(import.meta.dirname, 'console');
  return existsSync(beside) ? beside : join(packageRoot(), '.build', 'console');
}
