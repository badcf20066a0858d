// Routes of all the jobs that a caller has, whatever became of them: the list, one in detail, its graph. What they do is loaded
// at the first request (job-views.ts): no cold start needs it.

import { ENDED, LIVE } from '../../core/job-state.ts';
import { OWNER_ORDER } from '../../core/names.ts';
import { OWN_GRAPH } from '../../core/request.ts';
import { json } from '../http/answers.ts';
import { choice, jobId, matching, owner, page, type Parameter, text } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

const STATES = [...LIVE, ...ENDED];

const labels: Parameter<string[]> = {
  name: 'label',
  in: 'query',
  description: 'A label that it must have, as name:value; up to three',
  schema: { type: 'array', items: { type: 'string' }, maxItems: 3 },
  read: (c) => c.req.queries('label') ?? [],
};

const views = () => import('./job-views.ts');

export const jobRoutes = (deps: Shared) => [
  route(
    {
      route: 'GET /jobs',
      id: 'jobs',
      tag: 'Jobs',
      summary: 'All jobs, newest first, whatever became of them',
      description:
        'With a filter a page looks at 1,000 jobs at most: it may be shorter than its limit, or empty, while next_cursor leads on. By cursors each job stands once, whatever comes or is removed.',
      scope: 'read',
      parameters: {
        ...page(OWNER_ORDER),
        search: matching(
          {
            name: 'search',
            in: 'query',
            description: 'Words that its prompt has, in either case, in any order',
          },
          /^[^]{0,200}$/,
          'have at most 200 characters',
        ),
        workflow: text({
          name: 'workflow',
          in: 'query',
          description: `Its workflow’s name; ${OWN_GRAPH} where the graph came with the request`,
        }),
        state: choice({ name: 'state', in: 'query', description: 'Its status' }, STATES),
        label: labels,
        owner,
      },
      answers: { 200: json('A page of jobs', 'Jobs') },
      errors: ['invalid_field'],
    },
    async (_, { owner, limit, cursor, ...asked }) => {
      const { listed } = await views();
      return listed(deps, owner, { limit, before: cursor }, asked);
    },
  ),

  route(
    {
      route: 'GET /jobs/:id',
      id: 'job',
      tag: 'Jobs',
      summary: 'A job with everything that is known of it',
      description: 'Beside its status: its inputs, where it ran, how long it waited.',
      scope: 'read',
      parameters: { id: jobId },
      answers: { 200: json('The job', 'JobDetails') },
      errors: ['job_not_found'],
    },
    async (c, { id }) => (await views()).detailed(deps, c, id),
  ),

  route(
    {
      route: 'GET /jobs/:id/graph',
      id: 'graph',
      tag: 'Jobs',
      summary: 'The graph that ComfyUI ran, as a file',
      description: 'In ComfyUI’s API format, which its page opens too.',
      scope: 'read',
      parameters: { id: jobId },
      answers: {
        200: {
          description: 'The graph',
          content: { 'application/json': { type: 'object' } },
          headers: { 'Content-Disposition': 'With a file name, of the workflow and the job' },
        },
      },
      errors: ['job_not_found'],
    },
    async (c, { id }) => (await views()).graphFile(deps, c, id),
  ),
];
