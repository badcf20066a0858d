// Routes of workflows: their names, and what one takes. What they answer is loaded when it is first asked for.

import { AppError } from '../../core/errors.ts';
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

const accepted = text({
  name: 'Accept-Language',
  in: 'header',
  description: 'Of titles and descriptions, where a workflow has them',
  example: 'de-AT, de;q=0.9',
});

const LANGUAGE = { 'Content-Language': 'Of titles and descriptions, where it is known' };

const views = () => import('./workflow-views.ts');

export const workflowRoutes = (shared: Shared) => [
  route(
    {
      route: 'GET /workflows',
      id: 'workflows',
      tag: 'Service',
      summary: 'The workflows by name, and their titles',
      scope: 'read',
      parameters: { details, accepted },
      answers: { 200: json('Their names and titles', 'Workflows', LANGUAGE) },
    },
    async (c, { details, accepted }) =>
      (await views()).listWorkflows(c, shared, accepted, details === 'true'),
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
        accepted,
      },
      answers: { 200: json('The workflow', 'Workflow', LANGUAGE) },
      errors: ['workflow_not_found'],
    },
    async (c, { name, accepted }) => {
      const template = shared.workflows.templates.get(name);
      if (!template) throw new AppError('workflow_not_found', 'Workflow not found');
      return (await views()).showWorkflow(c, shared, template, accepted);
    },
  ),
];
