// What ended jobs come to, by intervals: sums, the latest failures, and shares of counted times.

import { describe, expect, test } from 'vitest';
import {
  addEnd,
  addTry,
  beginOf,
  BOUNDS,
  emptyRow,
  type EndedJob,
  hourOf,
  latestOf,
} from '../../functions/core/ledger.ts';
import { quantile, sumOf } from '../../functions/core/ledger-sums.ts';

const NOW = Date.parse('2026-11-30T01:07:30Z');
const completed: EndedJob = {
  jobId: 'a',
  status: 'completed',
  createdAt: NOW - 20_000,
  startedAt: NOW - 8000,
  gpuMs: 7000,
};
const failed: EndedJob = { jobId: 'b', status: 'failed', createdAt: NOW - 9000, errorCode: 'no_output' };
const row = () => emptyRow(hourOf(NOW), 'host');

test('an end is counted in the five minutes in which it comes', () => {
  const after = addEnd(addEnd(row(), completed, NOW), completed, NOW + 180_000);
  expect(Object.keys(after.intervals).toSorted()).toEqual(['05', '10']);
  expect(after).toMatchObject({ ledgerId: '2026-11-30T01#host', hour: '2026-11-30T01', ends: 2 });
  expect(beginOf(after, '05')).toBe(Date.parse('2026-11-30T01:05:00Z'));
});

test('a completed job has waited and run; one that never started has not', () => {
  const { intervals, failures } = addEnd(addEnd(row(), completed, NOW), failed, NOW);
  const interval = intervals['05']!;
  expect(interval).toMatchObject({ completed: 1, failed: { no_output: 1 }, gpuMs: 7000, waitMs: 12_000 });
  expect(interval.waits[BOUNDS.indexOf(20)]).toBe(1);
  expect(interval.runs[BOUNDS.indexOf(10)]).toBe(1);
  expect([interval.waits, interval.runs].map((counts) => counts.reduce((a, b) => a + b))).toEqual([1, 1]);
  expect(failures).toEqual([{ jobId: 'b', code: 'no_output', at: NOW }]);
});

test('a row names the latest five failures of each code', () => {
  let so = row();
  for (let index = 0; index < 8; index += 1) so = addEnd(so, { ...failed, jobId: `b${index}` }, NOW + index);
  so = addEnd(so, { ...failed, jobId: 'other', errorCode: 'expired' }, NOW);
  expect(so.failures.map(({ jobId }) => jobId)).toEqual(['b7', 'b6', 'b5', 'b4', 'b3', 'other']);
  expect(latestOf(so.failures, 1).map(({ jobId }) => jobId)).toEqual(['b7', 'other']);
});

test('a sum has all of its parts', () => {
  const { intervals } = addEnd(addEnd(row(), completed, NOW), failed, NOW);
  expect(sumOf([intervals['05']!, intervals['05']!])).toMatchObject({
    completed: 2,
    failed: { no_output: 2 },
    gpuMs: 14_000,
  });
  expect(sumOf([])).toMatchObject({ completed: 0, failed: {} });
});

test('tries of webhooks raise the row; a row of an older release has none', () => {
  const older = addEnd(row(), completed, NOW);
  delete older.intervals['05']!.webhooks;
  const after = addTry(
    addTry(older, { gaveUpAt: NOW, error: 'gone' }, NOW),
    { deliveredAt: NOW, status: 200 },
    NOW,
  );
  expect(after.ends).toBe(3);
  expect(after.intervals['05']).toMatchObject({
    completed: 1,
    webhooks: { delivered: 1, failed: 1, gaveUp: 1 },
  });
  const without = addEnd(row(), completed, NOW);
  delete without.intervals['05']!.webhooks;
  expect(sumOf([without.intervals['05']!]).webhooks).toEqual({ delivered: 0, failed: 0, gaveUp: 0 });
});

describe('a share of counted times', () => {
  const counts = (by: Record<number, number>) => [...BOUNDS, Infinity].map((bound) => by[bound] ?? 0);

  test.each([
    ['of none', counts({}), 0.5, null],
    ['of one within the first bound', counts({ 1: 1 }), 0.5, 0.5],
    ['drawn straight within its bound', counts({ 10: 10 }), 0.5, 7.5],
    ['in the bound that has it', counts({ 1: 90, 60: 10 }), 0.95, 45],
    ['at the end of a bound', counts({ 1: 50, 60: 50 }), 0.5, 1],
    ['past the last bound', counts({ [Infinity]: 3 }), 0.95, 3600],
  ])('%s', (_, all, share, seconds) => {
    expect(quantile(all, share)).toBe(seconds);
  });
});
