// Paths of the bundles of build.mjs that are started as child processes.

import { join } from 'node:path';
import { packageRoot } from '../runtime/workflows.ts';

export function programOf(name: string): string {
  return join(packageRoot(), '.build', `${name}.mjs`);
}
