// Routes of workflows: their names, and what one takes.

import { AppError } from '../../core/errors.ts';
import { choicesOf } from '../../core/inputs.ts';
import { type Missing, missingOf } from '../../core/missing-requirements.ts';
import { missingRequirements, modelsOf } from '../../core/object-info.ts';
import type { Template } from '../../core/template.ts';
import type { KnownHost } from '../caches/fleet.ts';
import { json } from '../http/answers.ts';
import { part, text } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

const details = text({
  name: 'details',
  in: 'query',
  description: '`true`: what each takes and needs, and which hosts can run it',
  schema: { type: 'string', enum: ['true', 'false'] },
});

export const workflowRoutes = ({ workflows, fleet }: Shared) => [
  route(
    {
      route: 'GET /workflows',
      id: 'workflows',
      tag: 'Service',
      summary: 'The workflows by name, and their titles',
      scope: 'read',
      parameters: { details },
      answers: { 200: json('Their names and titles', 'Workflows') },
    },
    async (_, { details }) => {
      const { templates, refused, folder } = workflows;
      const names = {
        workflows: [...templates.keys()],
        titles: Object.fromEntries([...templates].map(([name, { title }]) => [name, title])),
        total: templates.size,
        refused: [...refused],
      };
      if (details !== 'true') return names;
      const hosts = await fleet.inventories();
      return {
        ...names,
        details: await Promise.all(
          [...templates.values()].map(async (template) => ({
            name: template.name,
            title: template.title,
            description: template.description ?? '',
            inputs: Object.keys(template.inputs),
            models: modelsOf(template.graph),
            ...(await checked(template, hosts)),
          })),
        ),
        can_save: folder !== undefined,
      };
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
      const checks = await checked(template, hosts);
      // As what checks it: no cold start loads it.
      const { describeTemplate } = await import('../../core/describe.ts');
      return {
        ...describeTemplate(template, (spec) => choicesOf(template, spec, nodes)),
        missing: checks.missing,
        faults: checks.faults,
      };
    },
  ),
];

/** Nothing where one of the hosts runs it, or none is there to be asked. */
async function checked(
  template: Template,
  hosts: readonly KnownHost[],
): Promise<{ missing: Missing[]; faults: string[]; hosts: string[] }> {
  // ComfyUI's own validation is long, and here alone it is asked of a template: no cold start loads it.
  const { faultsOf } = await import('../../core/preflight/faults.ts');
  // Hosts of one kind have the same inventory.
  const verdicts = new Map(
    [...new Set(hosts.map(({ nodes }) => nodes))].map((nodes) => [
      nodes,
      {
        missingRequirements: missingRequirements(template.graph, nodes),
        faults: faultsOf(template, nodes),
      },
    ]),
  );
  const found = hosts.map(({ hostId, nodes }) => ({ hostId, ...verdicts.get(nodes)! }));
  const able = found.filter((one) => one.missingRequirements.length === 0 && one.faults.length === 0);
  if (able.length > 0) return { missing: [], faults: [], hosts: able.map(({ hostId }) => hostId) };
  return { missing: missingOf(template.graph, hosts), faults: found[0]?.faults ?? [], hosts: [] };
}
