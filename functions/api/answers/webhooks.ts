// What the API answers about webhooks, as schemas. Strict, as jobs.ts is.

import * as z from 'zod';
import type { WebhookType } from '../../core/webhook.ts';
import { cursor, image, output, status } from './jobs.ts';

const TYPES = ['job.completed', 'job.failed', 'job.cancelled'] as const satisfies readonly WebhookType[];

export const webhook = z.strictObject({
  id: z.uuid().describe('The webhook-id that its receiver sees, each time the same'),
  job_id: z.uuid(),
  url: z.string(),
  type: z.enum(TYPES),
  status: z.enum(['pending', 'delivered', 'failed']).describe('failed: given up after 24 hours'),
  attempts: z.int().min(0),
  last_status: z.int().nullable().describe('What its receiver answered'),
  last_error: z.string().nullable(),
  created_at: z.iso.datetime(),
  delivered_at: z.iso.datetime().nullable(),
  next_attempt_at: z.iso.datetime().nullable(),
});

export const webhooks = z.strictObject({
  webhooks: z.array(webhook).describe('Newest first'),
  next_cursor: cursor,
});

export const ownersWebhooks = z.strictObject({
  webhooks: z
    .array(webhook.extend({ owner: z.string() }))
    .describe('Newest first; pending ones the next first, failed ones the latest given up first'),
  next_cursor: cursor.describe(
    'A page may be short, or empty, where more follow: few of those that were looked at were meant',
  ),
});

/** What a receiver gets. */
export const event = z.strictObject({
  type: z.enum(TYPES),
  timestamp: z.iso.datetime().describe('When the job ended'),
  data: status.extend({
    images: z.array(image).describe('Without links: they would die'),
    outputs: z.array(output).describe('Without links too'),
  }),
});

export const secret = z.strictObject({
  secret: z
    .string()
    .regex(/^whsec_/)
    .describe('With which one checks the signature, as Standard Webhooks says'),
});
