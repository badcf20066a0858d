// What is waited out, and for how long. No browser.

import { expect, test } from 'vitest';
import { waitOf } from '../../console/api/limited.ts';

test.each<[number, string, number | undefined, number | undefined]>([
  [429, 'too_many_requests', 3000, 3000],
  [503, 'too_many_readers', 5000, 5000],
  [503, 'too_many_conversions', 5000, 5000],
  [429, 'too_many_unfinished', 5000, 5000],
  [503, 'unavailable', 2000, 2000],
  [429, 'too_many_requests', 0, 1000],
  [429, 'too_many_requests', 60_000, 60_000],
  // Of something between, which says no code.
  [429, 'no_code', undefined, 5000],
  // There is another way, or a person must do something.
  [429, 'too_many_waiting', 5000, undefined],
  [429, 'images_used_up', 40_000_000, undefined],
  [429, 'too_many_requests', 61_000, undefined],
  [503, 'disk_full', 10_000, undefined],
  [503, 'comfyui_not_responding', undefined, undefined],
  [500, 'internal_error', undefined, undefined],
])('%i %s, Retry-After %j ms: %j ms', (status, code, retryAfter, least) => {
  expect(waitOf({ status, code, retryAfter }, 0, 0)).toBe(least);
});

test('callers of the same moment come apart, more each time, and none waits longer than a minute', () => {
  const of = (times: number, random: number) =>
    waitOf({ status: 429, code: 'too_many_requests', retryAfter: 2000 }, times, random);
  expect([of(0, 0), of(0, 0.5), of(1, 0.5), of(2, 1)]).toEqual([2000, 3000, 4000, 10_000]);
  expect(of(30, 1)).toBe(60_000);
});
