// The sort key of the index of what is due: it says when, which, whose it is and to whom it goes, so that whoever sends
// can be fair without reading a delivery.

import { ownerTag, receiverTag } from '../core/names.ts';
import type { Delivery } from './deliveries.ts';

export interface Due {
  deliveryId: string;
  /** ms */
  dueAt: number;
  /** Tags, as names.ts makes them. An earlier release wrote neither. */
  owner?: string | undefined;
  receiver?: string | undefined;
}

/** Of a delivery, what a key needs. */
export type Addressed = Pick<Delivery, 'deliveryId' | 'owner' | 'url'>;

export function dueOf({ deliveryId, owner, url }: Addressed, dueAt: number): Due {
  return { deliveryId, dueAt, owner: ownerTag(owner), receiver: receiverTag(url) };
}

/** Sorts by time; unlike any other, since the embedded DynamoDB may lose one of two rows of an index with one key. */
export function dueOrder({ deliveryId, dueAt, owner, receiver }: Due): string {
  const whose = owner === undefined || receiver === undefined ? '' : `#${owner}#${receiver}`;
  return `${timeOf(dueAt)}#${deliveryId}${whose}`;
}

export function readDue(order: string): Due {
  const [time, deliveryId, owner, receiver] = order.split('#');
  return { deliveryId: deliveryId!, dueAt: Number(time), owner, receiver };
}

export function timeOf(at: number): string {
  return String(at).padStart(13, '0');
}
