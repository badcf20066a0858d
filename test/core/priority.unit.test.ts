// Priorities of jobs, in words and in work orders.

import { expect, it } from 'vitest';
import { STEP } from '../../functions/core/start-tag.ts';
import {
  jobIdFrom,
  modelsTagIn,
  ownerTag,
  ownerTagOf,
  priorityIn,
  readWorkOrder,
  wasMoved,
  withStartTag,
  workOrder,
} from '../../functions/core/names.ts';
import {
  isLower,
  parsePriority,
  PRIORITIES,
  type Priority,
  startTagAlone,
} from '../../functions/core/priority.ts';

const NOW = 1_800_000_000_000;
const DAY = 24 * 3_600_000;
const JOB = jobIdFrom({ owner: 'anna', key: 'k1' });

it('is one of three words; absent it is normal', () => {
  expect([...PRIORITIES, undefined, null].map(parsePriority)).toEqual([...PRIORITIES, 'normal', 'normal']);
  for (const bad of ['HIGH', 'urgent', 0, [], {}, 'constructor'])
    expect(() => parsePriority(bad)).toThrow(
      expect.objectContaining({ code: 'invalid_field', details: { field: 'priority' } }),
    );
});

it('low is lower than normal, and that than high', () => {
  for (const [rank, one] of PRIORITIES.entries())
    for (const [other, than] of PRIORITIES.entries()) expect(isLower(one, than)).toBe(rank < other);
});

it.each([undefined, 'a1b2c3d4'])(
  'lies in a work order, beside the models %s, and stays when it is moved; a normal one changes none',
  (models) => {
    const order = (priority?: Priority) => workOrder(NOW, 7, JOB, 'anna', NOW - 1, models, priority);
    expect(order('normal')).toBe(order());
    for (const priority of PRIORITIES) {
      const moved = withStartTag(order(priority), NOW + STEP);
      for (const one of [order(priority), moved, withStartTag(moved, NOW + 2 * STEP)])
        expect([priorityIn(one), modelsTagIn(one), ownerTagOf(one), readWorkOrder(one).acceptedAt]).toEqual([
          priority,
          models,
          ownerTag('anna'),
          NOW - 1,
        ]);
      expect(readWorkOrder(moved).startTag).toBe(NOW + STEP);
      expect(withStartTag(moved, NOW + STEP)).toBe(moved);
      expect([wasMoved(order(priority)), wasMoved(moved)]).toEqual([false, true]);
      // The cursor of GET /api/queue takes so many.
      expect(moved.length).toBeLessThanOrEqual(80);
    }
  },
);

it('is a time where all jobs are one owner’s', () => {
  const [high, normal, low] = (['high', 'normal', 'low'] as const).map((one) => startTagAlone(NOW, one));
  expect(normal).toBe(NOW);
  // A day later, when what waits has expired.
  expect(startTagAlone(NOW + DAY, 'high')).toBeLessThan(normal!);
  expect(startTagAlone(NOW + DAY, 'normal')).toBeLessThan(low!);
  expect(high).toBeLessThan(startTagAlone(NOW + 1, 'high'));
});
