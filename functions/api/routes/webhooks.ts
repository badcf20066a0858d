// Routes of webhooks: what was told to whom, telling it again, and the secret that the signatures are made with.

import { type Context, Hono } from 'hono';
import { sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { iso } from '../../core/job-view.ts';
import { isJobId } from '../../core/names.ts';
import type { Delivery } from '../../store/deliveries.ts';
import { needs } from '../http/access.ts';
import { cursorOf, pageQuery } from '../http/body.ts';
import type { ApiEnv, Shared } from '../deps.ts';
import { askedOwner } from './owned.ts';

/** Of a cursor, before it is made opaque: a place in the owner's index. */
const PLACE = /^\d{13}#[0-9a-f-]{36}$/;

export function webhookRoutes(deps: Shared) {
  const { deliveries, webhookSecrets, log, now } = deps;
  return new Hono<ApiEnv>()
    .get('/webhooks', needs('read'), async (c) => {
      const { limit, cursor } = pageQuery(c, PLACE);
      const page = await deliveries.listOwner(askedOwner(c), limit, cursor);
      return c.json({
        webhooks: page.items.map(deliveryView),
        next_cursor: page.cursor === undefined ? null : cursorOf(page.cursor),
      });
    })

    .get('/webhooks/secret', needs('generate'), async (c) => {
      c.header('Cache-Control', 'no-store');
      return c.json({ secret: await webhookSecrets.of(c.get('caller').owner, deps.random) });
    })

    .post('/webhooks/:id/redeliver', needs('generate'), async (c) => {
      const id = deliveryIdOf(c);
      const found = await deliveries.read(id);
      if (!found || !sees(c.get('caller'), found.owner)) throw notFound();
      const due = await deliveries.redeliver(found, now());
      if (!due) throw notFound();
      log.info('webhook made due again', { delivery_id: id, job_id: due.jobId });
      deps.webhookDue?.();
      return c.json(deliveryView(due), 202);
    });
}

function deliveryIdOf(c: Context<ApiEnv>): string {
  const id = c.req.param('id')?.toLowerCase() ?? '';
  if (!isJobId(id)) throw notFound();
  return id;
}

function notFound(): AppError {
  return new AppError('webhook_not_found', 'Webhook not found');
}

/** Times as ISO 8601 in UTC. */
function deliveryView(delivery: Delivery) {
  return {
    id: delivery.deliveryId,
    job_id: delivery.jobId,
    url: delivery.url,
    type: delivery.type,
    status: statusOf(delivery),
    attempts: delivery.attempts,
    last_status: delivery.lastStatus ?? null,
    last_error: delivery.lastError ?? null,
    created_at: iso(delivery.createdAt),
    delivered_at: iso(delivery.deliveredAt),
    next_attempt_at: iso(delivery.dueAt),
  };
}

function statusOf({ due, gaveUpAt }: Delivery): 'pending' | 'delivered' | 'failed' {
  if (due !== undefined) return 'pending';
  return gaveUpAt === undefined ? 'delivered' : 'failed';
}
