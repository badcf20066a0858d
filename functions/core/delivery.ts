// A delivery: the webhook of one ended job, when it is due and how a try ended. Its sort key has time, id, owner and
// receiver, so that a sender can be fair without reading the delivery.

import { iso } from './job-view.ts';
import { ownerTag, receiverTag } from './names.ts';
import type { WebhookType } from './webhook.ts';

/** Times in ms, the tables' clock. */
export interface Delivery {
  deliveryId: string;
  jobId: string;
  owner: string;
  ownerOrder: string;
  url: string;
  type: WebhookType;
  /** When the job ended. */
  endedAt: number;
  createdAt: number;
  /** When the tries began; a day later the delivery is given up. */
  since: number;
  /** To be sent, or given up: rows of one index, in the order of `dueOrder`. Absent once it was delivered. */
  due?: 'due' | 'gave-up';
  dueOrder?: string;
  /** Present exactly while the delivery is to be sent. */
  dueAt?: number;
  /** Since the delivery was last made due. */
  attempts: number;
  /** Of the process that sends it now. */
  claim?: string;
  /** What the receiver answered last, or why there was no answer. */
  lastStatus?: number;
  lastError?: string;
  /** When a receiver last accepted it. */
  deliveredAt?: number;
  gaveUpAt?: number;
  /** Seconds. */
  expiresAt: number;
}

/** How a try ended. `retryAt`, `deliveredAt` and `gaveUpAt` in ms. */
export type Tried =
  | { deliveredAt: number; status: number }
  | { retryAt: number; status?: number; error: string }
  | { gaveUpAt: number; status?: number; error: string };

/** A delivery as its `dueOrder` shows it. */
export interface Due {
  deliveryId: string;
  /** ms */
  dueAt: number;
  /** Tags, as names.ts makes them. Absent in what an earlier release wrote. */
  owner?: string | undefined;
  receiver?: string | undefined;
}

/** The part of a delivery that `dueOrder` is made from. */
export type Addressed = Pick<Delivery, 'deliveryId' | 'owner' | 'url'>;

/** @param dueAt ms */
export function dueOf({ deliveryId, owner, url }: Addressed, dueAt: number): Due {
  return { deliveryId, dueAt, owner: ownerTag(owner), receiver: receiverTag(url) };
}

/** Sorts by time. Unique: the embedded DynamoDB may lose one of two index rows with the same key. */
export function dueOrder({ deliveryId, dueAt, owner, receiver }: Due): string {
  const whose = owner === undefined || receiver === undefined ? '' : `#${owner}#${receiver}`;
  return `${timeOf(dueAt)}#${deliveryId}${whose}`;
}

/** Its place among those that were given up: by when that was. */
export function gaveUpOrder(delivery: Addressed, gaveUpAt: number): string {
  return dueOrder(dueOf(delivery, gaveUpAt));
}

/** Parses a `dueOrder`. */
export function readDue(order: string): Due {
  const [time, deliveryId, owner, receiver] = order.split('#');
  return { deliveryId: deliveryId!, dueAt: Number(time), owner, receiver };
}

/** The prefix of every `dueOrder` of that ms. */
export function timeOf(at: number): string {
  return String(at).padStart(13, '0');
}

export type DeliveryState = 'pending' | 'delivered' | 'failed';

export function stateOf({ dueAt, gaveUpAt }: Delivery): DeliveryState {
  if (dueAt !== undefined) return 'pending';
  return gaveUpAt === undefined ? 'delivered' : 'failed';
}

/** As callers see it, with times as ISO 8601 in UTC. */
export function deliveryView(delivery: Delivery) {
  return {
    id: delivery.deliveryId,
    job_id: delivery.jobId,
    url: delivery.url,
    type: delivery.type,
    status: stateOf(delivery),
    attempts: delivery.attempts,
    last_status: delivery.lastStatus ?? null,
    last_error: delivery.lastError ?? null,
    created_at: iso(delivery.createdAt),
    delivered_at: iso(delivery.deliveredAt),
    next_attempt_at: iso(delivery.dueAt),
  };
}
