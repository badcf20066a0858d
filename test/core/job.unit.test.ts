// The state machine as a table: every state by every verb, with a right and with a wrong picture of the job.
// What each verb writes in full stands in job-rows.test.ts.

import { describe, expect, it } from 'vitest';
import { apply, hasEnded, isHeldBy, sweep, reclaimStalled } from '../../functions/core/job.ts';
import {
  HOST,
  KNOWLEDGE,
  NOW,
  OTHER,
  STATE_NAMES,
  type StateName,
  STATES,
  summary,
  type Verb,
  VERB_NAMES,
  VERBS,
} from './job-states.ts';

type Outcomes = Partial<Record<Verb, string>>;

/** @param charged what becomes of it when its host died, or made a mistake, before it started */
const fromHeld = (at: string, charged = `waiting ${at}`): Outcomes => ({
  adopt: `held ${at}`,
  start: `processing ${at}`,
  complete: `completed ${at}`,
  fail: `failed ${at} node_failed`,
  release: `waiting ${at}`,
  releaseSpaced: `waiting ${at}`,
  releaseCharged: charged,
  sweep: charged,
  cancel: `cancelled ${at}`,
  clear: `cancelled ${at}`,
});
const fromProcessing = (at: string, lost: string): Outcomes => ({
  adopt: `processing ${at}`,
  advance: `processing ${at}`,
  touch: `processing ${at}`,
  watchPreviews: `processing ${at}`,
  complete: `completed ${at}`,
  fail: `failed ${at} node_failed`,
  lose: lost,
  sweep: lost,
  reclaimStalled: lost,
  cancel: `cancelled ${at}`,
});
const fromWaiting: Outcomes = {
  claim: 'held 1/0',
  exchange: 'waiting 0/0',
  cancel: 'cancelled 0/0',
  clear: 'cancelled 0/0',
};

/** The result, as phase attempt/lost attempts; a verb that is not named is refused. */
const TABLE: Record<StateName, Outcomes> = {
  waiting: fromWaiting,
  'waiting, lost once': {
    claim: 'held 2/1',
    exchange: 'waiting 1/1',
    cancel: 'cancelled 1/1',
    clear: 'cancelled 1/1',
  },
  'waiting for exactly a day': fromWaiting,
  'waiting for more than a day': { ...fromWaiting, expire: 'failed 0/0 expired' },
  held: fromHeld('1/0'),
  'held, accepted more than a day ago': fromHeld('1/0'),
  'held for the 19th time': fromHeld('19/0'),
  'held for the 20th time': fromHeld('20/0', 'failed 20/0 too_many_attempts'),
  'held for the 30th time, never started': fromHeld('30/0'),
  'held, lost twice': fromHeld('3/2'),
  'held, first started a day ago': fromHeld('2/1'),
  processing: fromProcessing('1/0', 'waiting 1/1'),
  'processing, lost once': fromProcessing('2/1', 'waiting 2/2'),
  'processing, lost twice': fromProcessing('3/2', 'failed 3/3 lost_too_often'),
  'processing for the 19th time': fromProcessing('19/0', 'waiting 19/1'),
  'processing for the 20th time': fromProcessing('20/0', 'failed 20/1 too_many_attempts'),
  'processing for a day': fromProcessing('1/0', 'waiting 1/1'),
  'processing, at every limit': fromProcessing('20/2', 'failed 20/3 lost_too_often'),
  completed: {},
  failed: {},
  cancelled: { account: 'cancelled 0/0' },
};

/** Who exchanges knows the turn alone. */
const BLIND: readonly Verb[] = ['exchange', 'watchPreviews', 'cancel', 'clear', 'expire'];
const CASES = STATE_NAMES.flatMap((state) => VERB_NAMES.map((verb) => [state, verb] as const));

describe('every state by every verb', () => {
  it.each(CASES)('%s: %s', (state, verb) => {
    const before = STATES[state];
    const after = apply(before, VERBS[verb](KNOWLEDGE.right(before)));
    expect(after && summary(after)).toBe(TABLE[state][verb]);
  });

  it.each(CASES)('%s: %s by somebody who is wrong about the attempt', (state, verb) => {
    const before = STATES[state];
    const expected = BLIND.includes(verb) ? TABLE[state][verb] : undefined;
    for (const wrong of ['of an earlier attempt', 'of a later attempt'] as const) {
      const after = apply(before, VERBS[verb](KNOWLEDGE[wrong](before)));
      expect([wrong, after && summary(after)]).toEqual([wrong, expected]);
    }
  });

  it.each(CASES)('%s: %s by somebody who is wrong about the host', (state, verb) => {
    const before = STATES[state];
    const after = apply(before, VERBS[verb](KNOWLEDGE['of another host'](before)));
    // Who claims needs no picture of a host: there must be none.
    const blind = BLIND.includes(verb) || verb === 'claim' || verb === 'account';
    expect(after && summary(after)).toBe(blind ? TABLE[state][verb] : undefined);
  });

  it('a sweep is refused when the job has started since it was read', () => {
    const picture = { ...STATES.held };
    expect(apply(STATES.processing, sweep(picture, 'its GPU host died', NOW))).toBeUndefined();
  });

  it('the GPU time of a cancelled job is written once', () => {
    const change = VERBS.account(KNOWLEDGE.right(STATES.cancelled));
    const accounted = apply(STATES.cancelled, change);
    expect(accounted).toMatchObject({ gpuMs: 21_000, costMicroUsd: 13_067 });
    expect(apply(accounted!, change)).toBeUndefined();
  });

  it('a sweep for want of progress is refused when there was a sign of life since it was read', () => {
    const picture = { ...STATES.processing };
    const lives = { ...STATES.processing, progressAt: NOW };
    expect(apply(lives, reclaimStalled(picture, 'it made no progress', NOW))).toBeUndefined();
    expect(apply(lives, sweep(picture, 'its GPU host died', NOW))).toBeDefined();
  });

  it('a sweep is refused when the job was given back and has waited since', () => {
    const picture = { ...STATES['waiting, lost once'], host: HOST };
    expect(apply(STATES['waiting, lost once'], sweep(picture, 'its GPU host died', NOW))).toBeUndefined();
  });

  it.each(VERB_NAMES)('%s sets no field that it removes, and leaves the job it got as it was', (verb) => {
    for (const before of Object.values(STATES)) {
      const copy = structuredClone(before);
      const change = VERBS[verb](KNOWLEDGE.right(before));
      apply(before, change);
      expect(before).toEqual(copy);
      expect(change.verb).toBe(verb);
      expect(change.remove.filter((field) => field in change.set)).toEqual([]);
      expect(Object.values(change.set)).not.toContain(undefined);
    }
  });
});

it('completed, failed and cancelled jobs have ended, others not', () => {
  const ended = STATE_NAMES.filter((name) => hasEnded(STATES[name]));
  expect(ended).toEqual(['completed', 'failed', 'cancelled']);
});

it('a job is held by one run at one attempt', () => {
  expect(isHeldBy(STATES.held, { attempt: 1, host: HOST })).toBe(true);
  expect(isHeldBy(STATES.held, { attempt: 2, host: HOST })).toBe(false);
  expect(isHeldBy(STATES.held, { attempt: 1, host: OTHER })).toBe(false);
  expect(isHeldBy(STATES['waiting, lost once'], { attempt: 1, host: HOST })).toBe(false);
});
