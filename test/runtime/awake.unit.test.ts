// The time that a machine was awake, counted by a clock that goes on while it sleeps.

import { expect, test } from 'vitest';
import { createAwakeClock } from '../../functions/runtime/awake.ts';

test('goes with the clock on the wall, but not over a sleep, and never back', () => {
  let wall = 1_800_000_000_000;
  const awake = createAwakeClock(5000, () => wall);
  const after = (ms: number) => {
    wall += ms;
    return awake();
  };
  expect([after(0), after(1000), after(4999)]).toEqual([0, 1000, 5999]);
  // Eight hours of sleep count as one step, a clock that is set back as nothing.
  expect(after(8 * 3_600_000)).toBe(10_999);
  expect(after(-3_600_000)).toBe(10_999);
  expect(after(1000)).toBe(11_999);
});
