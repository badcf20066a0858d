// What is looked at often and read seldom.

import { expect, test } from 'vitest';
import { TIMINGS } from '../../functions/core/timings.ts';
import { createGlance, readLessOften } from '../../functions/store/glance.ts';

function glanceAt(mayBe: (value: number) => number) {
  const at = { now: 1000, reads: 0, fails: false };
  const glance = createGlance(
    () => {
      at.reads += 1;
      return at.fails ? Promise.reject(new Error('silent')) : Promise.resolve(at.reads);
    },
    mayBe,
    () => at.now,
  );
  return { at, glance };
}

test('what is small is read each time', async () => {
  const { at, glance } = glanceAt(() => 0);
  await glance();
  await Promise.all([glance(), glance()]);
  expect(at.reads).toBe(3);
});

test('what is large is read again when it is too old, once for all who ask', async () => {
  const { at, glance } = glanceAt(() => 500);
  expect(await Promise.all([glance(), glance()])).toEqual([1, 1]);
  at.now += 499;
  expect(await glance()).toBe(1);
  at.now += 1;
  expect(await Promise.all([glance(), glance()])).toEqual([2, 2]);
});

test('a clock that was set back makes nothing young', async () => {
  const { at, glance } = glanceAt(() => 500);
  await glance();
  at.now -= 60_000;
  expect(await glance()).toBe(2);
});

test('what failed is tried again by the next', async () => {
  const { at, glance } = glanceAt(() => 500);
  at.fails = true;
  await expect(glance()).rejects.toThrow('silent');
  at.fails = false;
  expect(await glance()).toBe(2);
});

test('fifty hosts are looked at as they are, a thousand within the time in which one shows that it lives', () => {
  expect([0, 50, 51, 550, 1050, 10_000].map((hosts) => readLessOften(hosts, TIMINGS))).toEqual([
    0, 0, 10, 5000, 10_000, 10_000,
  ]);
});
