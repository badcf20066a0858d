// Where the files of the docs page lie on a machine: beside a bundle, which build.mjs sees to, or, for the sources, in the
// package that they come from.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './workflows.ts';

export function docsFolder(): string {
  const beside = join(import.meta.dirname, 'docs');
  return existsSync(beside) ? beside : join(packageRoot(), 'node_modules', 'swagger-ui-dist');
}
