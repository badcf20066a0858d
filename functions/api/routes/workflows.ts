// Routes of workflows: their names, and what one takes.

import { describeTemplate } from '../../core/describe.ts';
import { AppError } from '../../core/errors.ts';
import { choicesOf } from '../../core/inputs.ts';
import { type Missing, missingOf } from '../../core/missing-requirements.ts';
import { missingRequirements } from '../../core/object-info.ts';
import type { Template } from '../../core/template.ts';
import type { KnownHost } from '../caches/fleet.ts';
import { json } from '../http/answers.ts';
import { part } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

export const workflowRoutes = ({ workflows, fleet }: Shared) => [
  route(
    {
      route: 'GET /workflows',
      id: 'workflows',
      tag: 'Service',
      summary: 'The workflows by name',
      scope: 'read',
      answers: { 200: json('Their names', 'Workflows') },
    },
    () => {
      const { templates, refused } = workflows;
      return { workflows: [...templates.keys()], total: templates.size, refused: [...refused] };
    },
  ),

  route(
    {
      route: 'GET /workflows/:name',
      id: 'workflow',
      tag: 'Service',
      summary: 'What a workflow takes',
      description: 'With the choices that the hosts of this moment offer.',
      scope: 'read',
      parameters: {
        name: part('name', { description: 'As the list gives it', example: 'flux2_turbo_default' }),
      },
      answers: { 200: json('The workflow', 'Workflow') },
      errors: ['workflow_not_found'],
    },
    async (_, { name }) => {
      const template = workflows.templates.get(name);
      if (!template) throw new AppError('workflow_not_found', 'Workflow not found');
      const [{ nodes }, hosts] = await Promise.all([fleet.inventory(), fleet.inventories()]);
      return {
        ...describeTemplate(template, (spec) => choicesOf(template, spec, nodes)),
        ...(await checked(template, hosts)),
      };
    },
  ),
];

/** Nothing where one of the hosts runs it, or none is there to be asked. */
async function checked(
  template: Template,
  hosts: readonly KnownHost[],
): Promise<{ missing: Missing[]; faults: string[] }> {
  // ComfyUI's own validation is long, and here alone it is asked of a template: no cold start loads it.
  const { faultsOf } = await import('../../core/preflight/faults.ts');
  const found = hosts.map(({ nodes }) => ({
    missingRequirements: missingRequirements(template.graph, nodes),
    faults: faultsOf(template, nodes),
  }));
  if (found.some((one) => one.missingRequirements.length === 0 && one.faults.length === 0))
    return { missing: [], faults: [] };
  return { missing: missingOf(template.graph, hosts), faults: found[0]?.faults ?? [] };
}
