// The id of an event: the same at every server, and another as soon as a job looks different from outside.

import { expect, test } from 'vitest';
import { eventIdOf, isEventId } from '../../functions/core/event-id.ts';
import {
  adopt,
  advance,
  apply,
  cancel,
  claim,
  complete,
  type JobState,
  start,
} from '../../functions/core/job.ts';

const accepted: JobState = {
  jobId: '0198c0de-0000-8000-8000-00000000000a',
  owner: 'local',
  status: 'queued',
  attempt: 0,
  lostAttempts: 0,
  work: 'waiting',
  workOrder: '1',
  ownerOrder: '1',
  createdAt: 1,
  progress: 0,
  currentStep: 0,
  totalSteps: 8,
};
const fence = { attempt: 1, host: 'host' };
const step = (progress: number, currentStep: number) => ({ progress, currentStep, totalSteps: 8 });

test('each step of a job’s life has its own, and each is taken for one', () => {
  const life = [accepted];
  const then = (change: Parameters<typeof apply>[1]) => life.push(apply(life.at(-1)!, change)!);
  then(claim(accepted, 'host', 2, false));
  then(start(life.at(-1)!, fence, 3));
  then(advance(fence, step(0.125, 1), 4));
  then(advance(fence, step(0.1251, 1), 5));
  then(complete(life.at(-1)!, fence, [], { currentStep: 8, totalSteps: 8 }, 6));
  life.push(apply(accepted, cancel(7))!);
  const ids = life.map(eventIdOf);
  expect(ids).toEqual([
    '0-queued-0-0-8',
    '1-held-0-0-8',
    '1-processing-0-0-8',
    '1-processing-1250-1-8',
    '1-processing-1251-1-8',
    '1-completed-10000-8-8',
    '0-cancelled-0-0-8',
  ]);
  expect(ids.filter(isEventId)).toEqual(ids);
});

test('a change that callers do not see makes none', () => {
  const held = apply(accepted, claim(accepted, 'host', 2, false))!;
  expect(eventIdOf(apply(held, adopt(held, 'its next run'))!)).toBe(eventIdOf(held));
  const running = apply(held, start(held, fence, 3))!;
  expect(eventIdOf({ ...running, progressAt: 99 })).toBe(eventIdOf(running));
});

test.each(['', 'x', '1-queued', '1-queued-0-0-8 ', '1-queued-0-0-8\n', '-1-queued-0-0-8', '1-gone-0-0-8'])(
  '%j is none',
  (text) => {
    expect(isEventId(text)).toBe(false);
  },
);
