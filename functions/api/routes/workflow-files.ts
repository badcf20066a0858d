// Routes by which workflows are added: from a file to a proposal, from what a person made of it to the folder, and out again.
// Few calls need them, so that no cold start loads what they do.

import { AppError } from '../../core/errors.ts';
import { MAX_GRAPH_BYTES, MAX_WORKFLOW_FILE_BYTES } from '../../core/limits.ts';
import { MB } from '../../core/quota.ts';
import { json } from '../http/answers.ts';
import { object, part } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

const name = part('name', {
  description: 'Small letters, digits, underscores and dashes',
  example: 'red_fox',
});

export const workflowFileRoutes = (deps: Shared) => [
  route(
    {
      route: 'POST /workflows/propose',
      id: 'proposeWorkflow',
      tag: 'Service',
      summary: 'What a workflow file would become',
      description: `Send the file as it is: an API export, a canvas file (workflow.json), one with the form of ComfyUI's app mode, or a PNG or WebP that ComfyUI saved; at most ${MAX_WORKFLOW_FILE_BYTES / MB} MB. A canvas is converted by what the hosts have. Nothing is saved.`,
      scope: 'admin',
      body: {
        type: 'application/octet-stream',
        schema: { type: 'string', format: 'binary', maxLength: MAX_WORKFLOW_FILE_BYTES },
        limit: { bytes: MAX_WORKFLOW_FILE_BYTES, tooLarge: fileTooLarge },
      },
      answers: { 200: json('The proposal', 'WorkflowProposal') },
      errors: ['bad_workflow'],
    },
    async (c) => {
      const [bytes, { proposeWorkflow }] = await Promise.all([
        c.req.arrayBuffer(),
        import('../admission/propose-workflow.ts'),
      ]);
      return proposeWorkflow(deps.fleet, new Uint8Array(bytes));
    },
  ),

  route(
    {
      route: 'POST /workflows/:name',
      id: 'saveWorkflow',
      tag: 'Service',
      summary: 'Add a workflow',
      description:
        'Checked as at the start, and in effect at once; jobs that were accepted before keep their graph. 409 `workflows_fixed` where the folder cannot be written, as on AWS: there the two files go into the bundle.',
      scope: 'admin',
      parameters: { name },
      body: {
        ...object({
          type: 'object',
          required: ['graph', 'inputs_file'],
          additionalProperties: false,
          properties: {
            graph: { type: 'object', description: 'As a proposal gives it' },
            inputs_file: { type: 'object', description: 'As docs/workflows.md describes it' },
            replace: {
              type: 'boolean',
              default: false,
              description:
                'One of the same name; where `inputs_file` has no `translations`, those of it stay',
            },
          },
        }),
        limit: { bytes: MAX_GRAPH_BYTES, tooLarge: graphTooLarge },
      },
      answers: { 200: json('Saved', 'WorkflowSaved') },
      errors: ['bad_workflow', 'invalid_field', 'unknown_field', 'workflow_exists', 'workflows_fixed'],
    },
    async (c, { name, body }) => {
      const { saveWorkflow } = await import('../admission/save-workflow.ts');
      const { replaced, kept } = await saveWorkflow(deps, c.get('caller').owner, name, body);
      return { name, replaced, kept_translations: kept };
    },
  ),

  route(
    {
      route: 'DELETE /workflows/:name',
      id: 'removeWorkflow',
      tag: 'Service',
      summary: 'Remove a workflow',
      description: 'Both of its files. Jobs that were accepted before keep their graph.',
      scope: 'admin',
      parameters: { name },
      answers: { 200: json('Removed', 'WorkflowRemoved') },
      errors: ['workflow_not_found', 'last_workflow', 'workflows_fixed'],
    },
    async (c, { name }) => {
      const { removeWorkflow } = await import('../admission/save-workflow.ts');
      await removeWorkflow(deps, c.get('caller').owner, name);
      return { name, removed: true as const };
    },
  ),
];

function fileTooLarge(): never {
  throw new AppError('body_too_large', `A workflow file has at most ${MAX_WORKFLOW_FILE_BYTES / MB} MB`);
}

function graphTooLarge(): never {
  throw new AppError('body_too_large', `A workflow has at most ${MAX_GRAPH_BYTES / MB} MB`);
}
