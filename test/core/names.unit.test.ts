// Names that one service writes and another must find again, and names that come from outside.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attemptPromptId,
  hexOf,
  isJobId,
  jobIdFrom,
  outwardPromptId,
  ownerOrder,
  ownerTag,
  listOrder,
  readListOrder,
  modelsTagIn,
  ownerTagOf,
  readWorkOrder,
  workOrder,
} from '../../functions/core/names.ts';

const CANONICAL = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const JOB = jobIdFrom({ owner: 'anna', key: 'k1' });
const OTHER_JOB = jobIdFrom({ owner: 'anna', key: 'k2' });
const jobIds = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((random) => jobIdFrom({ random }));
const check = <T>(property: fc.IProperty<T>) => fc.assert(property, { seed: 11, numRuns: 300 });

describe('ids', () => {
  it('are lowercase canonical UUIDs', () => {
    check(
      fc.property(jobIds, fc.nat(50), (jobId, attempt) => {
        for (const id of [jobId, outwardPromptId(jobId), attemptPromptId(jobId, attempt)])
          expect(id).toMatch(CANONICAL);
        expect(isJobId(jobId)).toBe(true);
      }),
    );
    expect(JOB).toMatch(CANONICAL);
  });

  it('are the same for the same owner and key, and for no other', () => {
    expect(jobIdFrom({ owner: 'anna', key: 'k1' })).toBe(JOB);
    const others = [
      { owner: 'anna', key: 'k2' },
      { owner: 'bob', key: 'k1' },
      { owner: 'annak', key: '1' },
      { owner: '', key: 'annak1' },
    ].map(jobIdFrom);
    expect(new Set([JOB, ...others]).size).toBe(5);
  });

  it('without a key are as different as their random bytes', () => {
    const ids = Array.from({ length: 256 }, (_, n) => jobIdFrom({ random: new Uint8Array(16).fill(n) }));
    expect(new Set(ids).size).toBe(256);
  });

  it('outwards one for a job, inwards one for each attempt, never the same', () => {
    const inward = Array.from({ length: 20 }, (_, n) => attemptPromptId(JOB, n + 1));
    expect(new Set([JOB, OTHER_JOB, outwardPromptId(JOB), outwardPromptId(OTHER_JOB), ...inward]).size).toBe(
      24,
    );
    expect(attemptPromptId(JOB, 1)).not.toBe(attemptPromptId(OTHER_JOB, 1));
    expect(outwardPromptId(JOB)).toBe(outwardPromptId(JOB));
  });

  // Written down, since hosts and tables of two releases must agree on them.
  it('do not change from one release to the next', () => {
    expect(JOB).toBe('2b78e042-6847-8c75-9ff1-2e6dfba5f66b');
    expect(outwardPromptId(JOB)).toBe('4eb4bbae-2812-8c21-acc6-fd70b79862e4');
    expect(attemptPromptId(JOB, 1)).toBe('034a84e0-d5fb-828f-bcb5-8180a6102d47');
  });

  it.each([
    '',
    JOB.toUpperCase(),
    `${JOB}\n`,
    ` ${JOB}`,
    hexOf(JOB),
    `{${JOB}}`,
    `${JOB}0`,
    '__proto__',
    '..',
  ])('%j is none', (text) => {
    expect(isJobId(text)).toBe(false);
  });
});

describe('orders', () => {
  const times = fc.integer({ min: 0, max: 9_999_999_999_999 });
  it('work orders sort by start tag, then by sequence', () => {
    const startTag = fc.tuple(times, fc.nat(99_999));
    check(
      fc.property(startTag, startTag, ([time, sequence], [otherTime, otherSequence]) => {
        const before = time === otherTime ? sequence < otherSequence : time < otherTime;
        expect(
          workOrder(time, sequence, 'any', 'me') < workOrder(otherTime, otherSequence, 'any', 'me'),
        ).toBe(before);
      }),
    );
    expect(workOrder(5, 7, 'b', 'me') < workOrder(5, 10, 'a', 'me')).toBe(true);
    expect(workOrder(1_800_000_000_000, 100_001, '0123456789', 'me')).toBe(
      `1800000000000-1800000000000-00001-01234567-${ownerTag('me')}`,
    );
    // Of equal start tags the one that was accepted first.
    expect(workOrder(9, 7, 'b', 'me', 5) < workOrder(9, 1, 'a', 'me', 6)).toBe(true);
    // Two processes that count alike.
    expect(workOrder(5, 7, 'a', 'me')).not.toBe(workOrder(5, 7, 'b', 'me'));
  });

  it('a work order has start tag and acceptance; one of an earlier release has one for both', () => {
    check(
      fc.property(times, times, jobIds, (startTag, acceptedAt, id) => {
        expect(readWorkOrder(workOrder(startTag, 1, id, 'me', acceptedAt))).toEqual({ startTag, acceptedAt });
      }),
    );
    const old = `1800000000000-00001-01234567-${ownerTag('me')}`;
    expect(readWorkOrder(old)).toEqual({ startTag: 1_800_000_000_000, acceptedAt: 1_800_000_000_000 });
    expect([ownerTagOf(old), ownerTagOf(workOrder(1, 1, 'a', 'me'))]).toEqual([
      ownerTag('me'),
      ownerTag('me'),
    ]);
  });

  it('a work order has the tag of the models, if the job needs any', () => {
    const tagged = workOrder(5, 7, JOB, 'me', 4, 'a1b2c3d4');
    expect([modelsTagIn(tagged), ownerTagOf(tagged), readWorkOrder(tagged)]).toEqual([
      'a1b2c3d4',
      ownerTag('me'),
      { startTag: 5, acceptedAt: 4 },
    ]);
    const old = `1800000000000-00001-01234567-${ownerTag('me')}`;
    expect([modelsTagIn(workOrder(5, 7, JOB, 'me')), modelsTagIn(old)]).toEqual([undefined, undefined]);
  });

  it('a list order has the kind of end and the number of images', () => {
    const place = ownerOrder(1_800_000_000_000, JOB);
    expect(readListOrder(listOrder('completed', place, 12))).toEqual({ place, images: 12 });
    expect(readListOrder(listOrder('failed', place))).toEqual({ place, images: 0 });
  });

  it("an owner's jobs sort by time, then by id", () => {
    check(
      fc.property(times, times, jobIds, jobIds, (time, other, id, otherId) => {
        const before = time === other ? id < otherId : time < other;
        expect(ownerOrder(time, id) < ownerOrder(other, otherId)).toBe(before);
      }),
    );
  });
});
