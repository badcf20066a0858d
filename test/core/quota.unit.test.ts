// The arithmetic of an owner's limits: the bucket, days and months, and what a reservation commits.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobState } from '../../functions/core/job-state.ts';
import {
  bucketOf,
  daysOfMonth,
  endOfDay,
  endOfMonth,
  limitsOf,
  RESERVATION_KEPT,
  committedTotals,
  COMMITTED_AFTER,
  spending,
  standingOf,
  tokenEvery,
  type Usage,
} from '../../functions/core/quota.ts';
import { STATES } from './job-states.ts';

const NOW = Date.UTC(2028, 1, 29, 23, 59, 59);
const DAY = '2028-02-29';

describe('the bucket', () => {
  test('lets in a minute’s requests at once, then one as each token comes back, and never more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.array(fc.nat(5000), { minLength: 1, maxLength: 300 }),
        (perMinute, gaps) => {
          let now = NOW;
          let fullAt: number | undefined;
          const let_in: number[] = [];
          for (const gap of gaps) {
            now += gap;
            if (bucketOf(fullAt, perMinute, now).nextIn > 0) continue;
            const before = bucketOf(fullAt, perMinute, now).remaining;
            fullAt = Math.max(fullAt ?? 0, now) + tokenEvery(perMinute);
            expect(bucketOf(fullAt, perMinute, now).remaining).toBe(before - 1);
            let_in.push(now);
          }
          // In any window: its tokens, and those that come back in it.
          for (const [index, from] of let_in.entries())
            for (const [other, to] of let_in.entries())
              if (other >= index)
                expect(other - index + 1).toBeLessThanOrEqual(
                  perMinute + Math.floor((to - from) / tokenEvery(perMinute)) + 1,
                );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('that is empty says to the millisecond when it is not', () => {
    const fullAt = NOW + 120 * tokenEvery(120);
    expect(bucketOf(fullAt, 120, NOW)).toEqual({ remaining: 0, nextIn: 500, fullIn: 60_000 });
    expect(bucketOf(fullAt, 120, NOW + 499).nextIn).toBe(1);
    expect(bucketOf(fullAt, 120, NOW + 500).nextIn).toBe(0);
  });
});

test('a bucket that was filled before the clock was set back by hours refuses no request', () => {
  const fullAt = NOW + 2 * 60 * 60_000;
  expect(bucketOf(fullAt, 120, NOW)).toEqual({ remaining: 120, nextIn: 0, fullIn: 0 });
});

test('days and months are UTC’s, leap days included', () => {
  expect(daysOfMonth(NOW)).toHaveLength(29);
  expect(daysOfMonth(NOW).at(-1)).toBe(DAY);
  expect(daysOfMonth(NOW + 1000)).toEqual(['2028-03-01']);
  expect(endOfDay(NOW) - NOW).toBe(1000);
  expect(endOfMonth(NOW)).toBe(endOfDay(NOW));
});

test('an owner’s own limits stand before the settings, also where they are none', () => {
  const defaults = { perMinute: 120, maxWaiting: 1000, imagesPerDay: 5 };
  expect(limitsOf({ imagesPerDay: null, maxWaiting: 0 }, defaults)).toEqual({
    perMinute: 120,
    maxWaiting: 0,
    imagesPerDay: undefined,
    usdPerMonth: undefined,
  });
});

describe('a reservation', () => {
  const reservation = { jobId: STATES.waiting.jobId, images: 4, at: NOW };
  const done: JobState = { ...STATES.completed, createdAt: NOW, gpuMs: 900, costMicroUsd: 12 };
  const later = NOW + COMMITTED_AFTER;
  const nothing = { jobs: 0, images: 0, gpuMs: 0, costMicroUsd: 0, costed: 0 };
  const cost = { gpuMs: 900, costMicroUsd: 12, costed: 1 };

  test.each<[string, JobState | undefined, number, unknown]>([
    ['of a job that is being accepted stays', undefined, NOW + RESERVATION_KEPT - 1, undefined],
    ['of a job that was never accepted goes after an hour', undefined, NOW + RESERVATION_KEPT, nothing],
    ['of a job that waits stays', { ...STATES.waiting, createdAt: NOW }, later, undefined],
    ['of a job that has just ended stays: its request may still be repeated', done, later - 1, undefined],
    ['comes to what the job made', done, later, { ...cost, jobs: 1, images: done.outputs!.length }],
    [
      'of a job that failed comes to no image, but to what it cost',
      { ...done, status: 'failed', outputs: [] },
      later,
      { ...cost, jobs: 1, images: 0 },
    ],
    [
      'of a job that was cancelled before its start comes to nothing but the job',
      { ...STATES.cancelled, createdAt: NOW, endedAt: NOW },
      later,
      { ...nothing, jobs: 1 },
    ],
    [
      'of a job that was cancelled after its start stays until its host has written its GPU time',
      { ...STATES.cancelled, createdAt: NOW, startedAt: NOW, endedAt: later - 1 },
      later,
      undefined,
    ],
    [
      'and counts what it was to make, and what it took',
      {
        ...STATES.cancelled,
        createdAt: NOW,
        startedAt: NOW,
        endedAt: later - 1,
        gpuMs: 900,
        costMicroUsd: 12,
      },
      later,
      { ...cost, jobs: 1, images: 4 },
    ],
    ['counts on the day of its acceptance alone', { ...done, createdAt: NOW + 1000 }, later, nothing],
  ])('%s', (_name, state, now, wanted) => {
    expect(committedTotals(reservation, DAY, state, now)).toEqual(wanted);
  });

  test('of an ended job takes nothing of the limits, even before it is committed', () => {
    const usage: Usage = { owner: 'a', day: DAY, taken: 10, uncommitted: 2, jobs: 3, images: 2, ...cost };
    const other = { ...reservation, jobId: 'another' };
    const standing = standingOf(
      { ...usage, reservations: [reservation, other] },
      new Map([[reservation.jobId, done]]),
    );
    expect(standing).toMatchObject({
      live: 1,
      over: 1,
      released: 4 - done.outputs!.length,
      jobs: 4,
      images: 2 + done.outputs!.length,
    });
  });
});

test('dollars are those spent, and the mean for each job that has not ended', () => {
  const day: Usage = {
    owner: 'a',
    day: DAY,
    taken: 0,
    uncommitted: 0,
    jobs: 4,
    images: 4,
    gpuMs: 0,
    costMicroUsd: 4_000_000,
    costed: 4,
  };
  expect(spending([day, { ...day, uncommitted: 3 }])).toEqual({ usd: 8, reservedUsd: 3, usdPerJob: 1 });
  expect(spending([{ ...day, costMicroUsd: 0, costed: 0, uncommitted: 3 }])).toMatchObject({
    reservedUsd: 0,
  });
});
