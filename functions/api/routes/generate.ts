// POST /api/generate: a request for an image becomes a job.

import { promptOf, seedOf } from '../../core/job-view.ts';
import { outwardPromptId } from '../../core/names.ts';
import { traceIdOf } from '../../core/trace.ts';
import { accept } from '../admission/accept.ts';
import { fromTemplate } from '../admission/from-template.ts';
import { json, LIMIT_HEADERS, ref } from '../http/answers.ts';
import { matching, object } from '../http/parameters.ts';
import { setHeaders } from '../http/headers.ts';
import { route } from '../http/route.ts';
import { jobEnded } from './webhooks.ts';
import type { Shared } from './shared.ts';

const THIS_JOB = { id: '$response.body#/job_id' };

export const generateRoutes = (deps: Shared) => [
  route(
    {
      route: 'POST /generate',
      id: 'generate',
      tag: 'Jobs',
      summary: 'Make an image',
      description:
        'Accepts a job, durably, and answers at once. Follow it at GET /api/status/{id}. Repeated with the same Idempotency-Key and body, it answers what it answered at first.',
      scope: 'generate',
      parameters: {
        idempotencyKey: matching(
          {
            name: 'Idempotency-Key',
            in: 'header',
            description:
              'A name of your choice for this very request: however often it is sent, it is one job',
          },
          /^[\x21-\x7e]{1,255}$/,
          'have 1 to 255 printable ASCII characters without spaces',
        ),
      },
      body: object(ref('GenerateRequest')),
      callbacks: { jobEnded },
      answers: {
        202: {
          ...json('Accepted', 'Accepted', LIMIT_HEADERS),
          links: { status: THIS_JOB, statusEvents: THIS_JOB, cancel: THIS_JOB, removeJob: THIS_JOB },
        },
      },
      errors: [
        'missing_field',
        'unknown_field',
        'invalid_field',
        'invalid_json',
        'unknown_workflow',
        'idempotency_mismatch',
        'input_not_fetched',
        'no_host_can_run',
        'too_many_waiting',
        'too_many_requests',
        'too_many_unfinished',
        'images_used_up',
        'budget_used_up',
      ],
    },
    async (c, { idempotencyKey, body }) => {
      const caller = c.get('caller');
      const wanted = fromTemplate(deps, caller, body);
      const { request, headers } = await accept(deps, caller, wanted, idempotencyKey);
      setHeaders(c, headers);
      return {
        job_id: request.jobId,
        prompt_id: outwardPromptId(request.jobId),
        status: 'queued',
        prompt: promptOf(request),
        message: 'Image generation queued',
        workflow: request.workflow,
        ...seedOf(request),
        trace_id: traceIdOf(request),
        notes: request.notes,
      };
    },
  ),
];
