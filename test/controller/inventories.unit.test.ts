// Which inventories the controller remembers, for the time when no host is alive.

import { expect, test } from 'vitest';
import { inventoriesNow } from '../../functions/controller/inventories.ts';
import { HOUR, NOW, RELEASE } from './snapshots.ts';

const now = { release: RELEASE, now: NOW };
const host = (inventoryHash: string | undefined, more = {}) => ({
  seenAt: NOW,
  release: RELEASE,
  inventoryHash,
  ...more,
});
const before = { release: RELEASE, inventories: ['old'] };

test('those of the hosts alive, each once, at most four', () => {
  const hosts = ['b', 'a', 'b', undefined].map((hash) => host(hash));
  expect(inventoriesNow(before, hosts, now)).toEqual(['a', 'b']);
  expect(
    inventoriesNow(
      before,
      'edcba'.split('').map((hash) => host(hash)),
      now,
    ),
  ).toEqual(['a', 'b', 'c', 'd']);
});

test('while none is alive, or has reported, the last ones stay', () => {
  expect(inventoriesNow(before, [], now)).toEqual(['old']);
  expect(inventoriesNow(before, [host('dead', { seenAt: NOW - HOUR }), host(undefined)], now)).toEqual([
    'old',
  ]);
});

test('another release has other nodes', () => {
  expect(inventoriesNow(before, [], { ...now, release: 'r2' })).toBeUndefined();
  expect(inventoriesNow(before, [host('a')], { ...now, release: 'r2' })).toBeUndefined();
  expect(inventoriesNow({}, [host('a', { release: undefined })], now)).toEqual(['a']);
});
