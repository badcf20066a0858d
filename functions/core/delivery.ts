// A delivery: the webhook of one ended job, when it is due and how a try ended. Its sort key has time, id, owner and
// receiver, so that a sender can be fair without reading the delivery.

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
  /** Present exactly while the delivery is to be sent, as are `dueOrder` and `dueAt`. */
  due?: 'due';
  dueOrder?: string;
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

/** Parses a `dueOrder`. */
export function readDue(order: string): Due {
  const [time, deliveryId, owner, receiver] = order.split('#');
  return { deliveryId: deliveryId!, dueAt: Number(time), owner, receiver };
}

/** The prefix of every `dueOrder` of that ms. */
export function timeOf(at: number): string {
  return String(at).padStart(13, '0');
}
