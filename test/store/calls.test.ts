// Calls whose answers have not got through: each is taken by one, however many try.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const call = (n: number, at = 1000) => ({ callId: n.toString(16).padStart(4, '0'), at, waiter: 'one' });

test('twenty that come at the same moment are all there, and each is taken over once', async () => {
  const { calls } = store;
  const same = { owner: 'ann', bodyHash: 'twenty' };
  const twenty = Array.from({ length: 20 }, (_, n) => call(n, 1000 + n));
  await Promise.all(twenty.map((one) => calls.add(same, one)));
  expect(await calls.list(same)).toEqual(twenty);
  expect(await calls.list({ ...same, owner: 'bob' })).toEqual([]);
  const taken = await Promise.all(
    twenty.flatMap((one) => [calls.hand(same, one, 'two'), calls.hand(same, one, 'three')]),
  );
  expect(taken.filter(Boolean)).toHaveLength(20);
});

test('one is removed once, and makes room for another', async () => {
  const { calls } = store;
  const same = { owner: 'ann', bodyHash: 'many' };
  for (let n = 0; n < 250; n += 25)
    await Promise.all(Array.from({ length: 25 }, (_, more) => calls.add(same, call(n + more))));
  expect(await calls.add(same, call(250))).toBe(false);
  const [first] = await calls.list(same);
  await calls.remove(same, first!.callId);
  await calls.remove(same, first!.callId);
  expect(await calls.hand(same, first!, 'two')).toBe(false);
  expect([await calls.add(same, call(2000)), await calls.add(same, call(2001))]).toEqual([true, false]);
});

test('a process says until when it surely waits', async () => {
  const { calls } = store;
  await calls.alive('one', 5000);
  await calls.alive('one', 7000);
  expect(await calls.aliveUntil(['one', 'one', 'two'])).toEqual(new Map([['one', 7000]]));
  expect(await calls.aliveUntil([])).toEqual(new Map());
});
