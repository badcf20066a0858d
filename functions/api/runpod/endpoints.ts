// What an endpoint of RunPod's is here: `comfyui`, which takes graphs and names of workflows, or a workflow, by its name.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';

export const ANY = 'comfyui';

/** The workflow that it stands for; undefined: any. */
export interface Endpoint {
  workflow: string | undefined;
}

/** @throws AppError workflow_not_found */
export function endpointOf({ workflows }: Pick<ApiDeps, 'workflows'>, c: Context<ApiEnv>): Endpoint {
  const name = c.req.param('endpoint') ?? '';
  if (name === ANY) return { workflow: undefined };
  if (workflows.templates.has(name)) return { workflow: name };
  throw new AppError(
    'workflow_not_found',
    `There is no endpoint of this name: it is ${ANY}, for graphs, or one of ${[...workflows.templates.keys()].join(', ')}`,
    { field: 'endpoint' },
  );
}
