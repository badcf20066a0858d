// The package that this code is of: its version, and how its programs are typed. In the repository as in the
// node_modules of a project that has installed it.

import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packageRoot } from './workflows.ts';

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}

/** Without the repository around it. */
export function isInstalled(): boolean {
  return basename(dirname(packageRoot())) === 'node_modules';
}

/** What a person types before a program's own words. */
export function programAsTyped(program: 'generate' | 'keys' | 'workflows'): string {
  return isInstalled() ? `comfyui-rest-api ${program}` : `npm run ${program} --`;
}
