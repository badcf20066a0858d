// The operations of webhooks.

import { cursor, json, limit, type Operation, owner, ref } from './operation.ts';

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

/** Of generate, where it names a webhook_url. */
export const jobEnded = {
  '{$request.body#/webhook_url}': {
    post: {
      summary: 'The job has ended',
      description:
        'At least once, with retries for 24 hours: what has the same webhook-id is the same. Standard Webhooks.',
      parameters: [
        header('webhook-id', 'Each time the same'),
        header('webhook-timestamp', 'Seconds since 1970, of this try'),
        header('webhook-signature', 'v1 and an HMAC-SHA256 of id, timestamp and body'),
      ],
      requestBody: { required: true, content: { 'application/json': { schema: ref('WebhookEvent') } } },
      responses: {
        '2XX': { description: 'Taken, within 5 seconds' },
        410: { description: 'Never again, please' },
      },
    },
  },
};

export const webhookOperations: Operation[] = [
  {
    route: 'GET /webhooks',
    id: 'webhooks',
    tag: 'Webhooks',
    summary: 'What was told to whom, newest first',
    scope: 'read',
    parameters: [limit, cursor, owner],
    answers: {
      200: {
        ...json('A page of deliveries', 'Webhooks'),
        links: { redeliver: { id: '$response.body#/webhooks/0/id' } },
      },
    },
    errors: ['invalid_field'],
  },
  {
    route: 'GET /webhooks/secret',
    id: 'webhookSecret',
    tag: 'Webhooks',
    summary: 'What signatures are checked with',
    description: 'One’s own, for the `webhook-signature` of Standard Webhooks.',
    scope: 'generate',
    answers: { 200: json('The secret', 'WebhookSecret') },
  },
  {
    route: 'POST /webhooks/:id/redeliver',
    id: 'redeliver',
    tag: 'Webhooks',
    summary: 'Tell it again',
    description: 'At once, with the same webhook-id.',
    scope: 'generate',
    parameters: [
      {
        name: 'id',
        in: 'path',
        description: 'Of a delivery, as the list gives it',
        schema: { type: 'string', format: 'uuid' },
        example: '550e8400-e29b-81d4-a716-446655440000',
      },
    ],
    answers: { 202: json('It is due', 'Webhook') },
    errors: ['webhook_not_found'],
  },
];
