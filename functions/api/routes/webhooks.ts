// Routes of webhooks: deliveries, sending one again, and the secret that signatures are made with.

import { sees } from '../../core/access.ts';
import { deliveryView } from '../../core/delivery.ts';
import { AppError } from '../../core/errors.ts';
import { json, ref } from '../http/answers.ts';
import { cursorOf, id, owner, page } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

/** A decoded cursor: a position in the owner's index. */
const PLACE = /^\d{13}#[0-9a-f-]{36}$/;

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

export const webhookRoutes = (deps: Shared) => [
  route(
    {
      route: 'GET /webhooks',
      id: 'webhooks',
      tag: 'Webhooks',
      summary: 'Deliveries of webhooks, newest first',
      scope: 'read',
      parameters: { ...page(PLACE), owner },
      answers: {
        200: {
          ...json('A page of deliveries', 'Webhooks'),
          links: { redeliver: { id: '$response.body#/webhooks/0/id' } },
        },
      },
      errors: ['invalid_field'],
    },
    async (_, { limit, cursor, owner }) => {
      const found = await deps.deliveries.listOwner(owner, limit, cursor);
      return { webhooks: found.items.map(deliveryView), next_cursor: cursorOf(found.cursor) };
    },
  ),

  route(
    {
      route: 'GET /webhooks/secret',
      id: 'webhookSecret',
      tag: 'Webhooks',
      summary: 'What signatures are checked with',
      description: 'One’s own, for the `webhook-signature` of Standard Webhooks.',
      scope: 'generate',
      answers: { 200: json('The secret', 'WebhookSecret') },
    },
    async (c) => {
      c.header('Cache-Control', 'no-store');
      return { secret: await deps.webhookSecrets.of(c.get('caller').owner, deps.random) };
    },
  ),

  route(
    {
      route: 'POST /webhooks/:id/redeliver',
      id: 'redeliver',
      tag: 'Webhooks',
      summary: 'Tell it again',
      description: 'At once, with the same webhook-id.',
      scope: 'generate',
      parameters: { id: id('Of a delivery, as the list gives it', notFound) },
      answers: { 202: json('It is due', 'Webhook') },
      errors: ['webhook_not_found'],
    },
    async (c, { id }) => {
      const { deliveries, log, now } = deps;
      const found = await deliveries.read(id);
      if (!found || !sees(c.get('caller'), found.owner)) throw notFound();
      const due = await deliveries.redeliver(found, now());
      if (!due) throw notFound();
      log.info('webhook.requeued', { deliveryId: id, jobId: due.jobId, owner: due.owner });
      deps.webhookDue?.();
      return deliveryView(due);
    },
  ),
];

function notFound(): AppError {
  return new AppError('webhook_not_found', 'Webhook not found');
}
