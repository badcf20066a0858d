// Each row of the architecture's table of states, with everything that it writes and removes.

import { expect, it } from 'vitest';
import {
  apply,
  type Change,
  complete,
  fail,
  isDue,
  type JobState,
  lose,
  release,
  spend,
} from '../../functions/core/job.ts';
import {
  BROKEN,
  HOST,
  IMAGE,
  KNOWLEDGE,
  NEXT_RUN,
  NOW,
  STATES,
  STEPS,
  type Verb,
  VERBS,
} from './job-states.ts';

function after(before: JobState, verb: Verb | Change): JobState {
  const change = typeof verb === 'string' ? VERBS[verb](KNOWLEDGE.right(before)) : verb;
  const next = apply(before, change);
  if (!next) throw new Error(`${change.verb} was refused`);
  return next;
}

function without(job: JobState, ...fields: (keyof JobState)[]): Partial<JobState> {
  return Object.fromEntries(Object.entries(job).filter(([field]) => !fields.includes(field as never)));
}

it('queued → held: the attempt rises, the host and the moment are noted', () => {
  expect(after(STATES['waiting, lost once'], 'claim')).toEqual({
    ...STATES['waiting, lost once'],
    attempt: 2,
    host: HOST,
    claimedBy: HOST,
    work: 'held',
    claimedAt: NOW,
    simulated: true,
  });
});

it.each(['held', 'processing'] as const)('%s → the same under the new run: nothing but the host', (state) => {
  expect(after(STATES[state], 'adopt')).toEqual({ ...STATES[state], host: NEXT_RUN, claimedBy: NEXT_RUN });
});

it('held → queued: at its original place, without a lost attempt, without a host', () => {
  expect(after(STATES.held, 'release')).toEqual({ ...without(STATES.held, 'host'), work: 'waiting' });
});

it('held → queued, spaced: others go first, for twice as long each time, a minute at most', () => {
  const waits = [0, 1, 2, 5, 6, 100].map((setbacks) => {
    const next = after({ ...STATES.held, setbacks }, 'releaseSpaced');
    expect(next).toEqual({
      ...without(STATES.held, 'host'),
      work: 'waiting',
      setbacks: setbacks + 1,
      retryAt: next.retryAt,
    });
    expect([isDue(next, next.retryAt! - 1), isDue(next, next.retryAt!)]).toEqual([false, true]);
    return next.retryAt! - NOW;
  });
  expect(waits).toEqual([1000, 2000, 4000, 32_000, 60_000, 60_000]);
});

it('a clock that was set back delays nothing', () => {
  expect(isDue({ retryAt: NOW + 7_200_000 }, NOW)).toBe(true);
});

it('what is claimed waits for nothing more, and what starts has come through', () => {
  const waiting = { ...STATES.waiting, setbacks: 3, retryAt: NOW };
  expect(after(waiting, 'claim')).not.toHaveProperty('retryAt');
  expect(after({ ...STATES.held, setbacks: 3 }, 'start')).not.toHaveProperty('setbacks');
});

it('held → processing: the first start is noted, and that the attempt lives', () => {
  expect(after(STATES.held, 'start')).toEqual({
    ...STATES.held,
    status: 'processing',
    startedAt: NOW,
    progressAt: NOW,
  });
});

it('a later start leaves the first one noted', () => {
  const next = after(STATES['held, lost twice'], 'start');
  expect(next).toMatchObject({ startedAt: STATES['held, lost twice'].startedAt, progressAt: NOW });
});

it('processing → processing: further on, with a sign of life', () => {
  expect(after(STATES.processing, 'advance')).toEqual({
    ...STATES.processing,
    progress: 0.75,
    currentStep: 18,
    totalSteps: 25,
    progressAt: NOW,
  });
});

it.each([0.75, 0.9])('progress that is at %d already does not move to 0.75', (progress) => {
  const before = { ...STATES.processing, progress };
  expect(apply(before, VERBS.advance(KNOWLEDGE.right(before)))).toBeUndefined();
});

it('held → completed: its start was not written, so its end counts as its start', () => {
  expect(after(STATES.held, 'complete')).toEqual({
    ...without(STATES.held, 'host', 'work'),
    status: 'completed',
    listOrder: `completed#${STATES.waiting.ownerOrder}#1`,
    startedAt: NOW,
    endedAt: NOW,
    progress: 1,
    currentStep: 25,
    outputs: [IMAGE],
  });
});

it('processing → completed: with its images, its start as it was, out of the index', () => {
  expect(after(STATES.processing, 'complete')).toEqual({
    ...without(STATES.processing, 'host', 'work', 'progressAt'),
    status: 'completed',
    listOrder: `completed#${STATES.waiting.ownerOrder}#1`,
    endedAt: NOW,
    progress: 1,
    currentStep: 25,
    outputs: [IMAGE],
  });
});

it.each(['held', 'processing'] as const)(
  '%s → failed: says why, keeps its progress, is no lost attempt',
  (state) => {
    expect(after(STATES[state], 'fail')).toEqual({
      ...without(STATES[state], 'host', 'work', 'progressAt'),
      status: 'failed',
      listOrder: `failed#${STATES.waiting.ownerOrder}#0`,
      endedAt: NOW,
      error: BROKEN.message,
      errorCode: BROKEN.code,
    });
  },
);

it.each(['lose', 'sweep', 'reclaimStalled'] as const)(
  'processing → queued by %s: a lost attempt, progress from the beginning',
  (verb) => {
    expect(after(STATES.processing, verb)).toEqual({
      ...without(STATES.processing, 'host', 'progressAt'),
      status: 'queued',
      work: 'waiting',
      lostAttempts: 1,
      strikes: 1,
      progress: 0,
      currentStep: 0,
      // Its ComfyUI may just have died of it; a host that died is not asked at once anyway.
      ...(verb === 'lose' && { setbacks: 1, retryAt: NOW + 1000 }),
    });
  },
);

it.each([
  ['lose', 'The job was lost 3 times; last reason: ComfyUI forgot it'],
  ['sweep', 'The job was lost 3 times; last reason: its GPU host died'],
] as const)('processing → failed by %s at the third lost attempt, with a reason', (verb, error) => {
  expect(after(STATES['processing, lost twice'], verb)).toEqual({
    ...without(STATES['processing, lost twice'], 'host', 'work', 'progressAt'),
    status: 'failed',
    listOrder: `failed#${STATES.waiting.ownerOrder}#0`,
    lostAttempts: 3,
    strikes: 1,
    endedAt: NOW,
    error,
    errorCode: 'lost_too_often',
  });
});

it('held → queued by sweep: unstarted, so not a lost attempt', () => {
  expect(after(STATES.held, 'sweep')).toEqual({
    ...without(STATES.held, 'host'),
    work: 'waiting',
    strikes: 1,
  });
});

it('the twentieth attempt that ends with its host is the last', () => {
  expect(after(STATES['held for the 20th time'], 'sweep')).toMatchObject({
    status: 'failed',
    listOrder: `failed#${STATES.waiting.ownerOrder}#0`,
    lostAttempts: 0,
    error: 'The job was claimed 20 times without a result; last reason: its GPU host died',
  });
});

it('when it first started does not matter: a day without hosts costs no job', () => {
  expect(after(STATES['processing for a day'], 'sweep')).toMatchObject({ status: 'queued', lostAttempts: 1 });
  expect(after(STATES['held, first started a day ago'], 'sweep')).toMatchObject({
    status: 'queued',
    lostAttempts: 1,
  });
});

it.each(['waiting', 'held', 'processing'] as const)(
  '%s → cancelled: out of the index, nothing else',
  (state) => {
    expect(after(STATES[state], 'cancel')).toEqual({
      ...without(STATES[state], 'host', 'work', 'progressAt'),
      status: 'cancelled',
      endedAt: NOW,
    });
  },
);

it('clearing the queue leaves what has started', () => {
  expect(after(STATES.waiting, 'clear')).toEqual(after(STATES.waiting, 'cancel'));
  expect(after(STATES.held, 'clear')).toEqual(after(STATES.held, 'cancel'));
  expect(apply(STATES.processing, VERBS.clear())).toBeUndefined();
});

it('queued → failed a day after its acceptance', () => {
  expect(after(STATES['waiting for more than a day'], 'expire')).toEqual({
    ...without(STATES['waiting for more than a day'], 'work'),
    status: 'failed',
    listOrder: `failed#${STATES.waiting.ownerOrder}#0`,
    endedAt: NOW,
    error: expect.stringContaining('24 hours') as string,
    errorCode: 'expired',
  });
});

it('what has started is not given back as unstarted, even by its own host', () => {
  const fence = { attempt: 1, host: HOST };
  expect(apply(STATES.processing, release(STATES.held, fence, NOW))).toBeUndefined();
});

it('an unstarted job is not reported as lost: that would count as a lost attempt', () => {
  expect(apply(STATES.held, VERBS.lose(KNOWLEDGE.right(STATES.processing)))).toBeUndefined();
});

it('a failure holds whatever the phase, but only within the fence', () => {
  expect(apply(STATES.held, fail(STATES.held, { attempt: 1, host: NEXT_RUN }, BROKEN, NOW))).toBeUndefined();
  expect(apply(STATES.held, fail(STATES.held, { attempt: 2, host: HOST }, BROKEN, NOW))).toBeUndefined();
});

it('what attempts took of a GPU adds up, and costs by the machine that each ran on', () => {
  const first = spend(STATES.processing, 1800.4, 2);
  expect(first).toEqual({ gpuMs: 1800, costMicroUsd: 1000 });
  expect(spend({ ...STATES.processing, ...first }, 3_600_000, 1.5)).toEqual({
    gpuMs: 3_601_800,
    costMicroUsd: 1_501_000,
  });
  expect(spend(STATES.processing, 500, undefined)).toEqual({ gpuMs: 500 });
  // A clock that was set back costs nothing.
  expect(spend(STATES.processing, -500, 2)).toEqual({ gpuMs: 0, costMicroUsd: 0 });
});

it('every end that a host writes carries what was spent', () => {
  const fence = { attempt: STATES.processing.attempt, host: HOST };
  const spent = { gpuMs: 700, costMicroUsd: 3 };
  const ends = [
    complete(STATES.processing, fence, [IMAGE], STEPS, NOW, spent),
    fail(STATES.processing, fence, BROKEN, NOW, spent),
    lose(STATES.processing, fence, 'gone', NOW, spent),
  ];
  for (const change of ends) expect(apply(STATES.processing, change)).toMatchObject(spent);
});

it('processing → processing: alive, no further on, and not twice by the same word', () => {
  const next = after(STATES.processing, 'touch');
  expect(next).toEqual({ ...STATES.processing, progressAt: NOW });
  expect(apply(next, VERBS.touch(KNOWLEDGE.right(next)))).toBeUndefined();
});
