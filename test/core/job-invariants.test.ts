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
  lose: 4,
  sweep: 4,
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
  /** How many changes ago the writer last looked. */
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
    case 'complete':
      return job.complete(own, fence, [IMAGE], STEPS, now);
    case 'fail':
      return job.fail(fence, BROKEN, now);
    case 'release':
      return job.release(own, fence, now);
    case 'lose':
      return job.lose(own, fence, 'ComfyUI forgot it', now);
    case 'sweep':
      return job.sweep(old, 'its GPU host died', now);
    case 'cancel':
      return job.cancel(now);
    case 'clear':
      return job.clear(now);
    default:
      return job.expire(now);
  }
}

function checkState(state: job.JobState): void {
  const ended = job.hasEnded(state);
  expect('host' in state).toBe(state.work === 'held');
  expect('work' in state).toBe(!ended);
  expect('endedAt' in state).toBe(ended);
  expect('progressAt' in state).toBe(state.status === 'processing');
  expect('images' in state).toBe(state.status === 'completed');
  expect('errorCode' in state).toBe(state.status === 'failed');
  expect('error' in state).toBe(state.status === 'failed');
  if (state.status === 'processing') expect(state.work).toBe('held');
  if (state.status === 'processing' || state.status === 'completed')
    expect(state.startedAt).toBeTypeOf('number');
  if (state.work === 'waiting') {
    expect(state.attempt).toBeLessThan(20);
    expect(state.progress).toBe(0);
  }
  expect(state.attempt).toBeLessThanOrEqual(20);
  expect(state.progress === 1).toBe(state.status === 'completed');
  if (state.faults >= 3) expect(state).toMatchObject({ status: 'failed', faults: 3 });
}

function checkMove(from: job.JobState, to: job.JobState, verb: string, now: number): void {
  expect(job.hasEnded(from), 'an ended job changed').toBe(false);
  expect(to.attempt - from.attempt).toBe(verb === 'claim' ? 1 : 0);
  const lost = from.status === 'processing' && (verb === 'lose' || verb === 'sweep');
  expect(to.faults - from.faults).toBe(lost ? 1 : 0);
  if (to.progress < from.progress) expect(to.work).toBe('waiting');
  if (from.status === 'processing' && to.status === 'queued') expect(lost).toBe(true);
  if (from.startedAt !== undefined) expect(to.startedAt).toBe(from.startedAt);
  if (to.work === 'waiting' && from.startedAt !== undefined)
    expect(now - from.startedAt).toBeLessThan(60 * MINUTE);
  for (const field of ['jobId', 'owner', 'workOrder', 'ownerOrder', 'createdAt'] as const)
    expect(to[field]).toBe(from[field]);
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
        checkState(next);
        checkMove(current, next, taken.verb, now);
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
    [
      'waiting',
      'held',
      'completed',
      'cancelled',
      'node_failed',
      'lost_too_often',
      'took_too_long',
      'expired',
    ].sort(),
  );
});

it('a job that every host gives back unstarted ends at its twentieth attempt', () => {
  let state: job.JobState = STATES.waiting;
  let claims = 0;
  while (!job.hasEnded(state)) {
    state = job.apply(state, job.claim(state, HOST, NOW, false))!;
    claims += 1;
    checkState(state);
    state = job.apply(state, job.release(state, { attempt: state.attempt, host: HOST }, NOW))!;
    checkState(state);
  }
  expect(claims).toBe(20);
  expect(state).toMatchObject({ errorCode: 'too_many_attempts', faults: 0 });
});

it('a job that every host loses ends at its third fault', () => {
  let state: job.JobState = STATES.waiting;
  let starts = 0;
  while (!job.hasEnded(state)) {
    state = job.apply(state, job.claim(state, HOST, NOW, false))!;
    const fence = { attempt: state.attempt, host: HOST };
    state = job.apply(state, job.start(state, fence, NOW))!;
    starts += 1;
    state = job.apply(state, job.lose(state, fence, 'ComfyUI restarted', NOW))!;
    checkState(state);
  }
  expect(starts).toBe(3);
  expect(state).toMatchObject({ errorCode: 'lost_too_often', attempt: 3, faults: 3 });
});
