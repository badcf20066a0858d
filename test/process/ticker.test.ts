// Work that comes round: never two at once, whatever happens to a round, and after a machine's sleep not at once.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../functions/log.ts';
import { every } from '../../functions/process/ticker.ts';

const silent = createLog('test', 'error', () => undefined);
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The wall's clock goes on, timers do not. */
const sleepsFor = (ms: number) => vi.setSystemTime(Date.now() + ms);

test('a round follows a period after the end of the one before, also of one that failed', async () => {
  let begun = 0;
  const ticker = every(
    1000,
    async () => {
      begun += 1;
      await new Promise((resolve) => setTimeout(resolve, 700));
      throw new Error('no matter');
    },
    silent,
    { first: 0 },
  );
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toBe(1);
  await vi.advanceTimersByTimeAsync(1699);
  expect(begun).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toBe(2);
  await Promise.all([ticker.stop(), vi.advanceTimersByTimeAsync(10_000)]);
  expect(begun).toBe(2);
});

test('after a sleep one that judges others waits once more; a little late is not asleep', async () => {
  const round = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const ticker = every(5000, round, silent, { afterSleep: 10_000 });
  await vi.advanceTimersByTimeAsync(4000);
  sleepsFor(9000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(round).toHaveBeenCalledTimes(1);

  await vi.advanceTimersByTimeAsync(4000);
  sleepsFor(3_600_000);
  await vi.advanceTimersByTimeAsync(1000);
  expect(round).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(round).toHaveBeenCalledTimes(2);
  await ticker.stop();
});

test('one that judges nobody comes as soon as it can', async () => {
  const round = vi.fn<() => Promise<void>>(() => Promise.resolve());
  const ticker = every(5000, round, silent);
  sleepsFor(3_600_000);
  await vi.advanceTimersByTimeAsync(5000);
  expect(round).toHaveBeenCalledTimes(1);
  await ticker.stop();
});
