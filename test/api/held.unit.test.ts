// The places of requests that are held: how they are shared.

import { expect, test } from 'vitest';
import { createHeld } from '../../functions/api/http/held.ts';

const client = () => new AbortController().signal;

test('one owner leaves a quarter of the places to others', () => {
  const held = createHeld(8, 60_000, undefined);
  const hers = Array.from({ length: 8 }, () => held.take(client(), 'alice'));
  expect(hers.filter((place) => place !== undefined)).toHaveLength(6);
  const his = [held.take(client(), 'bob'), held.take(client(), 'bob'), held.take(client(), 'bob')];
  expect(his.filter((place) => place !== undefined)).toHaveLength(2);
  hers[0]!.free();
  expect(held.take(client(), 'alice')).toBeDefined();
});

test('where nobody has a key, all places are for whoever asks', () => {
  const held = createHeld(3, 60_000, undefined);
  const places = Array.from({ length: 4 }, () => held.take(client(), undefined));
  expect(places.map((place) => place !== undefined)).toEqual([true, true, true, false]);
});
