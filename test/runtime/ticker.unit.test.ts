// Work that comes round: never two at once, and the next comes whatever happens to one.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../functions/log.ts';
import { every } from '../../functions/runtime/ticker.ts';

const lines: string[] = [];
const log = createLog('test', 'error', (line) => lines.push(line));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a round follows a period after the end of the one before, also of one that failed', async () => {
  let begun = 0;
  const ticker = every(
    'control',
    1000,
    async () => {
      begun += 1;
      await new Promise((resolve) => setTimeout(resolve, 700));
      throw new Error('no matter');
    },
    log,
    0,
  );
  await vi.advanceTimersByTimeAsync(0);
  expect(begun).toBe(1);
  await vi.advanceTimersByTimeAsync(1699);
  expect(begun).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toBe(2);
  await Promise.all([ticker.stop(), vi.advanceTimersByTimeAsync(10_000)]);
  expect(begun).toBe(2);
  // Whatever a bundler called the function.
  const failed = { level: 'error', event: 'round.failed', round: 'control', error: 'no matter' };
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([failed, failed]);
});
