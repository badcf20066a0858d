// The places of requests that are held: how they are shared.

import { expect, test } from 'vitest';
import { createOpenConnections } from '../../functions/api/http/open-connections.ts';

const client = () => new AbortController().signal;

test('one owner leaves a quarter of the places to others', () => {
  const openConnections = createOpenConnections(8, 60_000, undefined);
  const hers = Array.from({ length: 8 }, () => openConnections.take(client(), 'alice'));
  expect(hers.filter((slot) => slot !== undefined)).toHaveLength(6);
  const his = [
    openConnections.take(client(), 'bob'),
    openConnections.take(client(), 'bob'),
    openConnections.take(client(), 'bob'),
  ];
  expect(his.filter((slot) => slot !== undefined)).toHaveLength(2);
  hers[0]!.free();
  expect(openConnections.take(client(), 'alice')).toBeDefined();
});

test('where nobody has a key, all places are for whoever asks', () => {
  const openConnections = createOpenConnections(3, 60_000, undefined);
  const storage = Array.from({ length: 4 }, () => openConnections.take(client(), undefined));
  expect(storage.map((slot) => slot !== undefined)).toEqual([true, true, true, false]);
});
