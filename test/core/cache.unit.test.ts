// How long what was read is served again, by a clock that the test sets.

import { expect, test } from 'vitest';
import { cached, createCache } from '../../functions/core/cache.ts';
import { hostsFreshFor } from '../../functions/core/host.ts';

/** Each read gives its number. */
function counting(freshFor: (value: number, took: number) => number, staleFor?: (fresh: number) => number) {
  const at = { now: 1000, reads: 0, fails: false, takes: 0 };
  const read = async () => {
    at.reads += 1;
    const nth = at.reads;
    await Promise.resolve();
    at.now += at.takes;
    if (at.fails) throw new Error('silent');
    return nth;
  };
  const get = cached(read, { now: () => at.now, freshFor, ...(staleFor && { staleFor }) });
  return { at, get, read };
}

test('a value that is never fresh is read by each call', async () => {
  const { at, get } = counting(() => 0);
  await get();
  await Promise.all([get(), get()]);
  expect(at.reads).toBe(3);
});

test('a value is read again when it is too old, once for all who ask', async () => {
  const { at, get } = counting(() => 500);
  expect(await Promise.all([get(), get()])).toEqual([1, 1]);
  at.now += 499;
  expect(await get()).toBe(1);
  at.now += 1;
  expect(await Promise.all([get(), get()])).toEqual([2, 2]);
});

test('the age of a value counts from the beginning of its read', async () => {
  const { at, get } = counting(() => 500);
  at.takes = 400;
  expect(await get()).toBe(1);
  at.now += 100;
  expect(await get()).toBe(2);
});

test('what takes long to read may be fresh for longer', async () => {
  const { at, get } = counting((_value, took) => took * 20);
  at.takes = 100;
  expect(await get()).toBe(1);
  at.now += 1899;
  expect(await get()).toBe(1);
  at.now += 1;
  expect(await get()).toBe(2);
});

test('a clock that was set back makes no value young', async () => {
  const { at, get } = counting(
    () => 500,
    () => 5000,
  );
  await get();
  at.now -= 60_000;
  expect(await get()).toBe(2);
});

test('a failed read is tried again by the next call', async () => {
  const { at, get } = counting(() => 500);
  at.fails = true;
  await expect(get()).rejects.toThrow('silent');
  at.fails = false;
  expect(await get()).toBe(2);
});

test('an older value is served while a new one is read, until it is too old for that', async () => {
  const { at, get } = counting(
    () => 500,
    (fresh) => fresh * 10,
  );
  await get();
  at.now += 500;
  expect(await get()).toBe(1);
  await new Promise(setImmediate);
  expect(await get()).toBe(2);
  at.now += 500;
  at.fails = true;
  expect(await get()).toBe(2);
  await new Promise(setImmediate);
  at.now += 4500;
  await expect(get()).rejects.toThrow('silent');
});

test('the name that was read longest ago makes room', async () => {
  const { at, read } = counting(() => 500);
  const cache = createCache<number>({ now: () => at.now, freshFor: () => 500, names: 2 });
  for (const name of ['a', 'b', 'c']) await cache.get(name, read);
  expect(['a', 'b', 'c'].map(cache.has)).toEqual([false, true, true]);
});

test('a value that is set outlives a read that began before', async () => {
  const { at, read } = counting(() => 500);
  const cache = createCache<number>({ now: () => at.now, freshFor: () => 500 });
  const reading = cache.get('a', read);
  cache.set('a', 7);
  expect(await reading).toBe(1);
  expect(await cache.get('a', read)).toBe(7);
});

test('after forget the next call reads, though a read is under way', async () => {
  const { at, read } = counting(() => 500);
  const cache = createCache<number>({ now: () => at.now, freshFor: () => 500 });
  const first = cache.get('a', read);
  cache.forget('a');
  expect(cache.has('a')).toBe(false);
  expect(await cache.get('a', read)).toBe(2);
  expect(await first).toBe(1);
  expect(await cache.get('a', read)).toBe(2);
});

test('a list of fifty hosts is read each time, of a thousand within the time in which one shows that it lives', () => {
  const freshFor = (hosts: number) => hostsFreshFor(hosts, { heartbeatEvery: 5000 });
  expect([0, 50, 51, 550, 1050, 10_000].map(freshFor)).toEqual([0, 0, 10, 5000, 10_000, 10_000]);
});
