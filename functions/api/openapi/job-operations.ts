// The operations of a job's life.

import { EVENT_ID } from '../../core/event-id.ts';
import { MAX_WAIT_SECONDS } from '../../core/limits.ts';
import { cursor, jobId, json, limit, LIMIT_HEADERS, type Operation, ref } from './operation.ts';
import { jobEnded } from './webhook-operations.ts';

/** Of each event; one without data only says that the stream lives, or when to come again. */
const EVENT = {
  type: 'object',
  properties: {
    event: { const: 'status' },
    id: { type: 'string' },
    data: { type: 'string', contentMediaType: 'application/json', contentSchema: ref('JobStatus') },
  },
};

const THIS_JOB = { id: '$response.body#/job_id' };

export const jobOperations: Operation[] = [
  {
    route: 'POST /generate',
    id: 'generate',
    tag: 'Jobs',
    summary: 'Make an image',
    description:
      'Accepts a job, durably, and answers at once. Follow it at GET /api/status/{id}. Repeated with the same Idempotency-Key and body, it answers what it answered at first.',
    scope: 'generate',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        description: 'A name of your choice for this very request: however often it is sent, it is one job',
        schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
      },
    ],
    body: { type: 'application/json', schema: ref('GenerateRequest') },
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
      'too_many_waiting',
      'too_many_requests',
      'too_many_unfinished',
      'images_used_up',
      'budget_used_up',
    ],
  },
  {
    route: 'GET /status/:id',
    id: 'status',
    tag: 'Jobs',
    summary: 'How a job stands',
    description: 'Read as strongly as the table can; never refused for its rate at one request a second.',
    scope: 'read',
    parameters: [
      jobId,
      {
        name: 'wait',
        in: 'query',
        description:
          'Seconds for which the answer is held until something changes; where too many are held already it comes at once',
        schema: { type: 'integer', minimum: 0, maximum: MAX_WAIT_SECONDS },
      },
      {
        name: 'since',
        in: 'query',
        description: 'The event_id that one knows: changes are looked for from there; else from now on',
        schema: { type: 'string', pattern: EVENT_ID.source },
      },
    ],
    answers: { 200: json('The job', 'JobStatus') },
    errors: ['job_not_found', 'invalid_field'],
  },
  {
    route: 'GET /status/:id/events',
    id: 'statusEvents',
    tag: 'Jobs',
    summary: 'How a job stands, as it changes',
    description:
      'Server-sent events named `status`: the data is what GET /api/status/{id} answers, the id its event_id. The stream ends with the job. Where too many are held already it says what is known and ends with `retry:`: an EventSource asks again by itself.',
    scope: 'read',
    parameters: [
      jobId,
      {
        name: 'Last-Event-ID',
        in: 'header',
        description: 'The id of the last event that was heard, from whichever server',
        schema: { type: 'string' },
      },
    ],
    answers: {
      200: { description: 'The events', content: { 'text/event-stream': EVENT } },
      204: { description: 'The job has ended, and its last event was heard' },
    },
    errors: ['job_not_found'],
  },
  {
    route: 'GET /queue',
    id: 'queue',
    tag: 'Jobs',
    summary: 'What waits and runs',
    description: 'One’s own jobs; all of them for a key with the scope admin. At most 100 a page.',
    scope: 'read',
    parameters: [limit, cursor],
    answers: { 200: json('The queue', 'Queue') },
    errors: ['invalid_field'],
  },
  {
    route: 'DELETE /queue/:id',
    id: 'cancel',
    tag: 'Jobs',
    summary: 'Cancel a job',
    description: 'Whether it waits or runs. Cancelled twice is cancelled.',
    scope: 'generate',
    parameters: [jobId],
    answers: { 200: json('Cancelled', 'Cancelled') },
    errors: ['job_not_found', 'already_ended'],
  },
  {
    route: 'POST /queue/clear',
    id: 'clearQueue',
    tag: 'Jobs',
    summary: 'Cancel what waits',
    description:
      'One’s own jobs that wait at this moment, not what runs; everybody’s for a key with the scope admin.',
    scope: 'generate',
    answers: { 200: json('Cleared', 'Cleared') },
  },
];
