// Where the bundles of build.mjs lie: children are started from them.

import { join } from 'node:path';
import { packageRoot } from '../runtime/workflows.ts';

export function programOf(name: 'dynamodb' | 'simulated-comfyui'): string {
  return join(packageRoot(), '.build', `${name}.mjs`);
}
