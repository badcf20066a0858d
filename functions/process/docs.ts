// Where the files of the docs page lie on a machine: in the package that they come from.

import { join } from 'node:path';
import { packageRoot } from './workflows.ts';

export function docsFolder(): string {
  return join(packageRoot(), 'node_modules', 'swagger-ui-dist');
}
