// Whose delivery is next, where more wait than there are places.

import { expect, test } from 'vitest';
import { type Due, dueOf } from '../../functions/store/due-order.ts';
import { createPlaces, type Places } from '../../functions/webhooks/places.ts';

const to = (owner: string, count: number, host = (nth: number) => `${nth}`): Due[] =>
  Array.from({ length: count }, (_, nth) =>
    dueOf({ deliveryId: `${owner}-${nth}`, owner, url: `https://${host(nth)}.example/` }, 1),
  );
const taken = (places: Places): Due[] => {
  const all: Due[] = [];
  for (let next; (next = places.next());) all.push(next);
  return all;
};
const ownersOf = (all: Due[]) => all.map(({ deliveryId }) => deliveryId.split('-')[0]);

test('one owner leaves a quarter of the places', () => {
  const places = createPlaces(32);
  places.wait(to('alice', 100));
  expect(taken(places)).toHaveLength(24);
  places.wait(to('bob', 3));
  expect(ownersOf(taken(places))).toEqual(['bob', 'bob', 'bob']);
});

test('of more owners than places each comes in turn, whatever the others do', () => {
  const places = createPlaces(4);
  const names = Array.from({ length: 20 }, (_, nth) => `owner${nth}`);
  for (const name of names) places.wait(to(name, 50));
  const served: (string | undefined)[] = [];
  for (let round = 0; round < 5; round += 1) {
    const now = taken(places);
    served.push(...ownersOf(now));
    for (const due of now) places.free(due, false);
  }
  expect(new Set(served)).toEqual(new Set(names));
});

test('a receiver earns a place by each answer, and falls back to one where none comes', () => {
  const places = createPlaces(32);
  places.wait(to('alice', 100, () => 'same'));
  for (const most of [1, 2, 4, 8, 16, 24, 24]) {
    const now = taken(places);
    expect(now.length).toBe(Math.min(most, 100));
    for (const due of now) places.free(due, true);
  }
  const [last, ...rest] = taken(places);
  for (const due of rest) places.free(due, true);
  places.free(last!, false);
  expect(taken(places).length).toBeLessThanOrEqual(1);
});

test('what waits or has a place is not taken twice, also after everything is looked at again', () => {
  const places = createPlaces(32);
  const due = to('alice', 40);
  places.wait(due);
  const first = taken(places);
  places.clear();
  places.wait(due);
  places.wait(due);
  expect(due.every((one) => places.knows(one))).toBe(true);
  for (const one of first) places.free(one, true);
  const rest = taken(places);
  expect(new Set([...first, ...rest].map(({ deliveryId }) => deliveryId)).size).toBe(40);
  expect(rest).toHaveLength(16);
});

test('a host of two owners that hangs for one is the other’s as before', () => {
  const places = createPlaces(32);
  const shared = () => 'shared';
  places.wait([...to('alice', 10, shared), ...to('bob', 10, shared)]);
  for (const due of taken(places)) places.free(due, due.deliveryId.startsWith('bob'));
  const again = ownersOf(taken(places));
  expect(again.filter((owner) => owner === 'alice')).toHaveLength(1);
  expect(again.filter((owner) => owner === 'bob')).toHaveLength(2);
});
