// What a run's input asks for: a graph with images beside it, as worker-comfyui takes it, or a workflow's own inputs.

import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import type { Wanted } from '../admission/accept.ts';
import { demand } from '../http/access.ts';
import type { RunpodDeps } from './deps.ts';
import { ANY, type Endpoint } from './endpoints.ts';
import { fromGraph } from './from-graph.ts';
import { fromInputs } from './from-inputs.ts';

/** @throws AppError */
export async function wantedFor(
  deps: RunpodDeps,
  caller: Caller,
  { workflow }: Endpoint,
  { comfy_org_api_key: credential, ...input }: Record<string, unknown>,
): Promise<Wanted> {
  if (credential !== undefined && credential !== null && credential !== '')
    throw invalid(
      'input.comfy_org_api_key',
      'cannot be kept for a job that waits: sign ComfyUI itself in, or leave it out',
    );
  const { workflow: asked } = input;
  if (typeof asked === 'object' && asked !== null) {
    if (workflow !== undefined)
      throw invalid('input.workflow', `is a graph: send it to the endpoint ${ANY}; this one is ${workflow}`);
    demand(caller, 'graphs');
    return fromGraph(deps, caller, input);
  }
  const named = asked ?? workflow;
  if (named === undefined)
    throw new AppError(
      'missing_field',
      'Missing required field: input.workflow, a graph or a workflow’s name',
      {
        field: 'input.workflow',
      },
    );
  if (workflow !== undefined && named !== workflow)
    throw invalid('input.workflow', `must be ${workflow} at this endpoint, or absent`);
  return fromInputs(deps, caller, { ...input, workflow: named });
}
