// Which delivery is sent next, where more are due than may be under way. Owners alternate, and none takes all slots; an
// owner's receivers alternate, and each gets one more slot for each answer: a receiver that hangs holds one slot.

import { type Due, dueOrder } from '../core/delivery.ts';

export interface SendSlots {
  /** Adds due deliveries that are not known yet. */
  wait(due: readonly Due[]): void;
  /** The delivery waits or is under way. */
  knows(due: Due): boolean;
  /** Forgets what waits; what is under way stays known. */
  clear(): void;
  /** Takes a slot for the next delivery. Undefined: no slot is free, or nothing waits that may have one. */
  next(): Due | undefined;
  /** Frees the slot. @param answered whether the receiver gave any answer; undefined: it was not called */
  free(due: Due, answered: boolean | undefined): void;
}

interface Share {
  underway: number;
  allowed: number;
  /** The number of the delivery with which it was served last; below 1: never. */
  served: number;
}

/** Above this many, idle shares are dropped. */
const REMEMBERED = 10_000;
/** The next delivery to a receiver is a random one of this many that are due longest. */
const AMONG_FIRST = 8;

/** @param random 0 ≤ x < 1, so that several senders with the same deliveries pick different ones */
export function createSendSlots(count: number, random: () => number = Math.random): SendSlots {
  // A quarter of the slots is left to other owners, so that they need not wait for a try to end.
  const ofOwner = Math.max(1, count - Math.ceil(count / 4));
  const owners = new Map<string, Share>();
  const receivers = new Map<string, Share>();
  const shareOfOwner = (name: string) =>
    listed(owners, name, () => ({ underway: 0, allowed: ofOwner, served: random() }));
  const shareOfReceiver = (name: string) =>
    listed(receivers, name, () => ({ underway: 0, allowed: 1, served: random() }));
  const underway = new Set<string>();
  const known = new Set<string>();
  const waiting = new Map<string, Map<string, Due[]>>();
  let servedCount = 0;

  function take(ownerName: string, receiverName: string): Due {
    const theirs = waiting.get(ownerName)!;
    const queue = theirs.get(receiverName)!;
    const [due] = queue.splice(Math.floor(random() * Math.min(queue.length, AMONG_FIRST)), 1);
    if (queue.length === 0) theirs.delete(receiverName);
    if (theirs.size === 0) waiting.delete(ownerName);
    servedCount += 1;
    for (const share of [shareOfOwner(ownerName), shareOfReceiver(receiverName)]) {
      share.underway += 1;
      share.served = servedCount;
    }
    underway.add(dueOrder(due!));
    return due!;
  }

  return {
    wait(due) {
      for (const one of due) {
        if (known.has(dueOrder(one))) continue;
        known.add(dueOrder(one));
        const theirs = listed(waiting, ownerOf(one), () => new Map<string, Due[]>());
        listed(theirs, receiverOf(one), () => [] as Due[]).push(one);
      }
    },

    knows: (due) => known.has(dueOrder(due)),

    clear() {
      waiting.clear();
      known.clear();
      for (const order of underway) known.add(order);
      forgetSome(owners);
      forgetSome(receivers);
    },

    next() {
      if (underway.size >= count) return undefined;
      let best: { owner: string; share: Share; receiver: string } | undefined;
      for (const [owner, theirs] of waiting) {
        const share = shareOfOwner(owner);
        if (!hasSlot(share) || (best && !isBefore(share, best.share))) continue;
        const receiver = firstOf(theirs.keys(), shareOfReceiver);
        if (receiver !== undefined) best = { owner, share, receiver };
      }
      return best && take(best.owner, best.receiver);
    },

    free(due, answered) {
      underway.delete(dueOrder(due));
      known.delete(dueOrder(due));
      shareOfOwner(ownerOf(due)).underway -= 1;
      const receiver = shareOfReceiver(receiverOf(due));
      receiver.underway -= 1;
      if (answered !== undefined) receiver.allowed = answered ? Math.min(receiver.allowed + 1, ofOwner) : 1;
    },
  };
}

/** Deliveries of an earlier release have neither: they count as one owner's, each with its own receiver. */
const ownerOf = ({ owner }: Due) => owner ?? '';
/** Per owner: one owner's requests do not affect another's to the same host. */
const receiverOf = (due: Due) =>
  due.receiver === undefined ? due.deliveryId : `${due.owner}#${due.receiver}`;

const hasSlot = ({ underway, allowed }: Share) => underway < allowed;
const isBefore = (a: Share, b: Share) =>
  a.underway < b.underway || (a.underway === b.underway && a.served < b.served);

function firstOf(names: Iterable<string>, shareOf: (name: string) => Share): string | undefined {
  let first: { name: string; share: Share } | undefined;
  for (const name of names) {
    const share = shareOf(name);
    if (hasSlot(share) && (!first || isBefore(share, first.share))) first = { name, share };
  }
  return first?.name;
}

function forgetSome(shares: Map<string, Share>): void {
  if (shares.size <= REMEMBERED) return;
  for (const [name, { underway }] of shares) if (underway === 0) shares.delete(name);
}

function listed<T>(map: Map<string, T>, name: string, make: () => T): T {
  const found = map.get(name) ?? make();
  map.set(name, found);
  return found;
}
