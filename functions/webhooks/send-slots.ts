// Whose delivery is next, where there are more than one sender may have under way. Owners take turns, and none holds all
// places; of one owner receivers take turns, and each earns its places by answering: one that hangs holds one.

import { type Due, dueOrder } from '../core/delivery.ts';

export interface SendSlots {
  /** Adds what is due and was not known. */
  wait(due: readonly Due[]): void;
  /** It waits, or has a place. */
  knows(due: Due): boolean;
  /** Nothing waits any more. */
  clear(): void;
  /** Takes a place for it. Undefined: nothing waits that may have one. */
  next(): Due | undefined;
  /** @param answered by the receiver, whatever it was; undefined: it was not asked */
  free(due: Due, answered: boolean | undefined): void;
}

interface Share {
  held: number;
  may: number;
  /** The turn at which it was served last; below 1: never. */
  served: number;
}

/** Nobody is remembered for ever. */
const REMEMBERED = 10_000;
/** Of those to one receiver one of so many that are longest due is next. */
const AMONG_FIRST = 8;

/** @param random from 0 to below 1: several senders look at the same, and should not all want the same */
export function createSendSlots(count: number, random: () => number = Math.random): SendSlots {
  // A quarter is for others: they need not wait for a try to end.
  const ofOwner = Math.max(1, count - Math.ceil(count / 4));
  const owners = new Map<string, Share>();
  const receivers = new Map<string, Share>();
  const shareOfOwner = (name: string) =>
    listed(owners, name, () => ({ held: 0, may: ofOwner, served: random() }));
  const shareOfReceiver = (name: string) =>
    listed(receivers, name, () => ({ held: 0, may: 1, served: random() }));
  const underway = new Set<string>();
  const known = new Set<string>();
  const waiting = new Map<string, Map<string, Due[]>>();
  let turn = 0;

  function take(ownerName: string, receiverName: string): Due {
    const theirs = waiting.get(ownerName)!;
    const queue = theirs.get(receiverName)!;
    const [due] = queue.splice(Math.floor(random() * Math.min(queue.length, AMONG_FIRST)), 1);
    if (queue.length === 0) theirs.delete(receiverName);
    if (theirs.size === 0) waiting.delete(ownerName);
    turn += 1;
    for (const share of [shareOfOwner(ownerName), shareOfReceiver(receiverName)]) {
      share.held += 1;
      share.served = turn;
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
        if (!hasRoom(share) || (best && !isBefore(share, best.share))) continue;
        const receiver = firstOf(theirs.keys(), shareOfReceiver);
        if (receiver !== undefined) best = { owner, share, receiver };
      }
      return best && take(best.owner, best.receiver);
    },

    free(due, answered) {
      underway.delete(dueOrder(due));
      known.delete(dueOrder(due));
      shareOfOwner(ownerOf(due)).held -= 1;
      const receiver = shareOfReceiver(receiverOf(due));
      receiver.held -= 1;
      if (answered !== undefined) receiver.may = answered ? Math.min(receiver.may + 1, ofOwner) : 1;
    },
  };
}

/** Those of an earlier release are one owner's, each to a receiver of its own. */
const ownerOf = ({ owner }: Due) => owner ?? '';
/** One of two owners knows nothing of what the other's requests did to a host that they share. */
const receiverOf = (due: Due) =>
  due.receiver === undefined ? due.deliveryId : `${due.owner}#${due.receiver}`;

const hasRoom = ({ held, may }: Share) => held < may;
const isBefore = (a: Share, b: Share) => a.held < b.held || (a.held === b.held && a.served < b.served);

function firstOf(names: Iterable<string>, shareOf: (name: string) => Share): string | undefined {
  let first: { name: string; share: Share } | undefined;
  for (const name of names) {
    const share = shareOf(name);
    if (hasRoom(share) && (!first || isBefore(share, first.share))) first = { name, share };
  }
  return first?.name;
}

function forgetSome(shares: Map<string, Share>): void {
  if (shares.size <= REMEMBERED) return;
  for (const [name, { held }] of shares) if (held === 0) shares.delete(name);
}

function listed<T>(map: Map<string, T>, name: string, make: () => T): T {
  const found = map.get(name) ?? make();
  map.set(name, found);
  return found;
}
