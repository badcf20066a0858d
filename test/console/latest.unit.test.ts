// Of several uploads for one field the last that was chosen counts. No browser.

import { expect, test } from 'vitest';
import { Latest } from '../../console/parts/latest.ts';

/** Work that ends when it is told to. */
function work() {
  let resolve!: (value: string) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<string>((...ends) => ([resolve, reject] = ends));
  const seen: AbortSignal[] = [];
  const begin = (signal: AbortSignal) => {
    seen.push(signal);
    return promise;
  };
  return { begin, resolve, reject, isAborted: () => seen[0]?.aborted };
}

const givenUp = { name: 'AbortError' };

test('the one before is given up, and its late answer is none', async () => {
  const latest = new Latest();
  const [a, b] = [work(), work()];
  const first = latest.begin('image', a.begin);
  const second = latest.begin('image', b.begin);
  expect([a.isAborted(), b.isAborted()]).toEqual([true, false]);
  await expect(first).rejects.toMatchObject(givenUp);
  expect(latest.isRunning('image')).toBe(true);
  b.resolve('b');
  a.resolve('a');
  expect(await second).toBe('b');
  expect(latest.isRunning('image')).toBe(false);
});

test('another name goes on; what is given up runs no more', async () => {
  const latest = new Latest();
  const [image, mask] = [work(), work()];
  const first = latest.begin('form/image', image.begin);
  const second = latest.begin('other/mask', mask.begin);
  latest.giveUp((name) => name.startsWith('form/'));
  expect([latest.isRunning('form/image'), latest.isRunning('other/mask')]).toEqual([false, true]);
  await expect(first).rejects.toMatchObject(givenUp);
  mask.resolve('mask');
  expect(await second).toBe('mask');
});

test('what fails has ended, and says why', async () => {
  const latest = new Latest();
  const one = work();
  const begun = latest.begin('image', one.begin);
  one.reject(new Error('too large'));
  await expect(begun).rejects.toThrow('too large');
  expect(latest.isRunning('image')).toBe(false);
});
