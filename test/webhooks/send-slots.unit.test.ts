// Which delivery is next, where more wait than there are slots.

import { expect, test } from 'vitest';
import { type Due, dueOf } from '../../functions/core/delivery.ts';
import { createSendSlots, type SendSlots } from '../../functions/webhooks/send-slots.ts';

const to = (owner: string, count: number, host = (nth: number) => `${nth}`): Due[] =>
  Array.from({ length: count }, (_, nth) =>
    dueOf({ deliveryId: `${owner}-${nth}`, owner, url: `https://${host(nth)}.example/` }, 1),
  );
const taken = (slots: SendSlots): Due[] => {
  const all: Due[] = [];
  for (let next; (next = slots.next());) all.push(next);
  return all;
};
const ownersOf = (all: Due[]) => all.map(({ deliveryId }) => deliveryId.split('-')[0]);

test('one owner leaves a quarter of the slots', () => {
  const slots = createSendSlots(32);
  slots.wait(to('alice', 100));
  expect(taken(slots)).toHaveLength(24);
  slots.wait(to('bob', 3));
  expect(ownersOf(taken(slots))).toEqual(['bob', 'bob', 'bob']);
});

test('with more owners than slots each is served in turn, whatever the others do', () => {
  const slots = createSendSlots(4);
  const names = Array.from({ length: 20 }, (_, nth) => `owner${nth}`);
  for (const name of names) slots.wait(to(name, 50));
  const served: (string | undefined)[] = [];
  for (let round = 0; round < 5; round += 1) {
    const now = taken(slots);
    served.push(...ownersOf(now));
    for (const due of now) slots.free(due, false);
  }
  expect(new Set(served)).toEqual(new Set(names));
});

test('a receiver earns a slot by each answer, and falls back to one where none comes', () => {
  const slots = createSendSlots(32);
  slots.wait(to('alice', 100, () => 'same'));
  for (const most of [1, 2, 4, 8, 16, 24, 24]) {
    const now = taken(slots);
    expect(now.length).toBe(Math.min(most, 100));
    for (const due of now) slots.free(due, true);
  }
  const [last, ...rest] = taken(slots);
  for (const due of rest) slots.free(due, true);
  slots.free(last!, false);
  expect(taken(slots).length).toBeLessThanOrEqual(1);
});

test('what waits or has a slot is not taken twice, also after a full read', () => {
  const slots = createSendSlots(32);
  const due = to('alice', 40);
  slots.wait(due);
  const first = taken(slots);
  slots.clear();
  slots.wait(due);
  slots.wait(due);
  expect(due.every((one) => slots.knows(one))).toBe(true);
  for (const one of first) slots.free(one, true);
  const rest = taken(slots);
  expect(new Set([...first, ...rest].map(({ deliveryId }) => deliveryId)).size).toBe(40);
  expect(rest).toHaveLength(16);
});

test('a host of two owners that hangs for one is the other’s as before', () => {
  const slots = createSendSlots(32);
  const shared = () => 'shared';
  slots.wait([...to('alice', 10, shared), ...to('bob', 10, shared)]);
  for (const due of taken(slots)) slots.free(due, due.deliveryId.startsWith('bob'));
  const again = ownersOf(taken(slots));
  expect(again.filter((owner) => owner === 'alice')).toHaveLength(1);
  expect(again.filter((owner) => owner === 'bob')).toHaveLength(2);
});
