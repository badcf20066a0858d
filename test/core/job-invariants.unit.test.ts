// What holds on every state that can be reached, by whatever order of verbs and however old the pictures are on
// which they rest. Hosts know their own claim as their last write left it; all others may have read long ago.

import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import * as job from '../../functions/core/job.ts';
import { BROKEN, HOST, IMAGE, NEXT_RUN, NOW, OTHER, STATES, STEPS } from './job-states.ts';

const MINUTE = 60_000;
const HOSTS = [HOST, NEXT_RUN, OTHER];

const WEIGHTS = {
  claim: 10,
  start: 8,
  advance: 4,
  touch: 2,
  watchPreviews: 1,
  lose: 4,
  sweep: 4,
  reclaimStalled: 2,
  release: 2,
  adopt: 2,
  complete: 1,
  fail: 1,
  cancel: 1,
  clear: 1,
  expire: 1,
} as const;
type Verb = keyof typeof WEIGHTS;
const VERBS = Object.keys(WEIGHTS) as Verb[];

const step = fc.record({
  verb: fc.oneof(...VERBS.map((verb) => ({ weight: WEIGHTS[verb], arbitrary: fc.constant(verb) }))),
  /** How many changes ago the writer last read. */
  behind: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(8) }),
  host: fc.constantFrom(...HOSTS),
  later: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(0, 1, 1000, MINUTE) },
    { weight: 1, arbitrary: fc.constantFrom(20 * MINUTE, 61 * MINUTE, 25 * 60 * MINUTE) },
  ),
  share: fc.double({ min: 0, max: 0.9999, noNaN: true }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function changeOf(taken: Step, current: job.JobState, old: job.JobState, now: number): job.Change {
  const fence = { attempt: old.attempt, host: old.host ?? taken.host };
  const own = job.isHeldBy(current, fence) ? current : old;
  const progress = { progress: taken.share, currentStep: 1, totalSteps: 25 };
  switch (taken.verb) {
    case 'claim':
      return job.claim(old, taken.host, now, false);
    case 'adopt':
      return job.adopt(old, taken.host);
    case 'start':
      return job.start(own, fence, now);
    case 'advance':
      return job.advance(fence, progress, now);
    case 'touch':
      return job.touch(fence, now);
    case 'watchPreviews':
      return job.watchPreviews(now + 30_000);
    case 'complete':
      return job.complete(own, fence, [IMAGE], STEPS, now);
    case 'fail':
      return job.fail(own, fence, BROKEN, now);
    case 'release':
      return job.release(own, fence, now);
    case 'lose':
      return job.lose(own, fence, 'ComfyUI forgot it', now);
    case 'sweep':
      return job.sweep(old, 'its GPU host died', now);
    case 'reclaimStalled':
      return job.reclaimStalled(old, 'it made no progress', now);
    case 'cancel':
      return job.cancel(now);
    case 'clear':
      return job.clear(now);
    default:
      return job.expire(own, now);
  }
}

const implies = (condition: boolean, then: boolean) => !condition || then;

/** What is wrong with a state, by name; nothing is. */
function wrongState(state: job.JobState): string[] {
  const { status, lostAttempts, progress, strikes = 0 } = state;
  const ended = job.hasEnded(state);
  return broken({
    'host exactly while held': 'host' in state === (state.work === 'held'),
    'work exactly while live': 'work' in state === !ended,
    'end exactly when ended': 'endedAt' in state === ended,
    'sign of life exactly while processing': 'progressAt' in state === (status === 'processing'),
    'outputs exactly when completed': 'outputs' in state === (status === 'completed'),
    'error exactly when failed': 'error' in state === (status === 'failed'),
    'its code exactly when failed': 'errorCode' in state === (status === 'failed'),
    'listed exactly when it ran to an end': 'listOrder' in state === (ended && status !== 'cancelled'),
    'processing only while held': implies(status === 'processing', state.work === 'held'),
    'started when processing': implies(status === 'processing', state.startedAt !== undefined),
    'started when completed': implies(status === 'completed', state.startedAt !== undefined),
    'waits only with a strike left': implies(state.work === 'waiting', strikes < 20),
    'waits without progress': implies(state.work === 'waiting', progress === 0),
    'twenty strikes at most': strikes <= 20,
    'delayed only while waiting': implies(state.retryAt !== undefined, state.work !== 'held'),
    'whole exactly when completed': (progress === 1) === (status === 'completed'),
    'three lost attempts and failed': lostAttempts < 3 || (lostAttempts === 3 && status === 'failed'),
  });
}

/** What is wrong with a change of state. */
function wrongMove(from: job.JobState, to: job.JobState, verb: Verb): string[] {
  const lost = from.status === 'processing' && ['lose', 'sweep', 'reclaimStalled'].includes(verb);
  const started = from.startedAt;
  return broken({
    'what has ended changes no more': !job.hasEnded(from),
    'attempt rises by one at a claim only': to.attempt - from.attempt === (verb === 'claim' ? 1 : 0),
    'lost attempts rise by one when a started attempt is lost only':
      to.lostAttempts - from.lostAttempts === (lost ? 1 : 0),
    'progress falls when given back only': implies(to.progress < from.progress, to.work === 'waiting'),
    'status falls when lost only': implies(from.status === 'processing' && to.status === 'queued', lost),
    'the first start stays': implies(started !== undefined, to.startedAt === started),
    'what it was accepted as stays': (
      ['jobId', 'owner', 'workOrder', 'ownerOrder', 'createdAt'] as const
    ).every((field) => to[field] === from[field]),
  });
}

function broken(rules: Record<string, boolean>): string[] {
  return Object.keys(rules).filter((rule) => !rules[rule]);
}

it('holds on every way through the states', () => {
  const reached = new Set<string>();
  const verbs = new Set<Verb>();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => {
      const history: job.JobState[] = [STATES.waiting];
      let now = NOW;
      for (const taken of steps) {
        now += taken.later;
        const current = history.at(-1)!;
        const old = history.at(-1 - taken.behind) ?? current;
        const next = job.apply(current, changeOf(taken, current, old, now));
        if (!next) continue;
        expect(wrongState(next)).toEqual([]);
        expect(wrongMove(current, next, taken.verb)).toEqual([]);
        verbs.add(taken.verb);
        reached.add(next.errorCode ?? next.work ?? next.status);
        history.push(next);
      }
    }),
    { seed: 20_260, numRuns: 1500 },
  );
  // The walk is worth something only if it came everywhere.
  expect([...verbs].toSorted()).toEqual(VERBS.toSorted());
  expect([...reached].sort()).toEqual(
    ['waiting', 'held', 'completed', 'cancelled', 'node_failed', 'lost_too_often', 'expired'].sort(),
  );
});

it('a job that every ComfyUI gives back unstarted ends with its day, not with its attempts', () => {
  let state: job.JobState = STATES.waiting;
  for (let claims = 1; claims <= 200; claims += 1) {
    state = job.apply(state, job.claim(state, HOST, NOW, false))!;
    state = job.apply(
      state,
      job.release(state, { attempt: state.attempt, host: HOST }, NOW, { spaced: true }),
    )!;
    expect(wrongState(state)).toEqual([]);
  }
  expect(state).toMatchObject({ work: 'waiting', attempt: 200, lostAttempts: 0 });
  expect(job.apply(state, job.expire(state, NOW + 25 * 60 * MINUTE))).toMatchObject({ errorCode: 'expired' });
});

it('a job with which every host dies before it starts ends at its twentieth attempt', () => {
  let state: job.JobState = STATES.waiting;
  let claims = 0;
  while (!job.hasEnded(state)) {
    state = job.apply(state, job.claim(state, HOST, NOW, false))!;
    claims += 1;
    expect(wrongState(state)).toEqual([]);
    state = job.apply(state, job.sweep(state, 'its GPU host died', NOW))!;
    expect(wrongState(state)).toEqual([]);
  }
  expect(claims).toBe(20);
  expect(state).toMatchObject({ errorCode: 'too_many_attempts', lostAttempts: 0 });
});

it('a job that every host loses ends at its third lost attempt', () => {
  let state: job.JobState = STATES.waiting;
  let starts = 0;
  while (!job.hasEnded(state)) {
    state = job.apply(state, job.claim(state, HOST, NOW, false))!;
    const fence = { attempt: state.attempt, host: HOST };
    state = job.apply(state, job.start(state, fence, NOW))!;
    starts += 1;
    state = job.apply(state, job.lose(state, fence, 'ComfyUI restarted', NOW))!;
    expect(wrongState(state)).toEqual([]);
  }
  expect(starts).toBe(3);
  expect(state).toMatchObject({ errorCode: 'lost_too_often', attempt: 3, lostAttempts: 3 });
});
