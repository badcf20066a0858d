// When hosts may be judged by silence: not right after a gap without rounds.

import { expect, test } from 'vitest';
import { createWatch } from '../../functions/controller/watch.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A round that comes to its end. */
function round(watch: ReturnType<typeof createWatch>, at: number): boolean {
  const may = watch.mayJudge(at);
  watch.polled(at);
  return may;
}

test('the first round judges, and each that follows in time', () => {
  const watch = createWatch(5000);
  expect([0, 5000, 10_100, 24_000].map((at) => round(watch, NOW + at))).toEqual([true, true, true, true]);
});

test('one that comes much too late waits for two heartbeats', () => {
  const watch = createWatch(5000);
  round(watch, NOW);
  expect([60_000, 65_000, 69_999, 70_000].map((at) => round(watch, NOW + at))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test('rounds that fail are no looking', () => {
  const watch = createWatch(60_000);
  round(watch, NOW);
  for (const at of [60_000, 120_000, 180_000]) watch.mayJudge(NOW + at);
  expect(round(watch, NOW + 240_000)).toBe(false);
  expect(round(watch, NOW + 300_000)).toBe(true);
});

test('rounds that take long are looking all the same', () => {
  const watch = createWatch(5000);
  for (let at = NOW; at < NOW + 600_000; at += 65_000) {
    expect(watch.mayJudge(at)).toBe(true);
    watch.polled(at + 60_000);
  }
});

test('a clock that is set back delays no judgement', () => {
  const watch = createWatch(5000);
  round(watch, NOW);
  round(watch, NOW + 3_600_000);
  expect(round(watch, NOW)).toBe(false);
  expect([5000, 10_000].map((at) => round(watch, NOW + at))).toEqual([false, true]);
});

test('no job ages in a gap, nor is one too old for a controller that has just started', () => {
  const watch = createWatch(60_000);
  const lookFor = (from: number, ms: number) => {
    for (let at = from; at <= from + ms; at += 60_000) round(watch, at);
    return from + ms;
  };
  // Only the clock on the wall says that it is so old.
  round(watch, NOW);
  expect(watch.waitsFor(NOW - 2 * DAY, NOW)).toBe(0);
  let at = lookFor(NOW, HOUR);
  expect(watch.waitsFor(NOW - 2 * DAY, at)).toBe(2 * DAY + HOUR);
  // The clock jumps, or the machine sleeps.
  round(watch, at + 25 * HOUR);
  expect(watch.waitsFor(NOW - 2 * DAY, at + 25 * HOUR)).toBe(0);
  at = lookFor(at + 25 * HOUR, HOUR);
  expect(watch.waitsFor(NOW, at)).toBe(2 * HOUR);
  expect(watch.waitsFor(at - 60_000, at)).toBe(60_000);
  expect(watch.age(NOW + 10 * HOUR, at)).toBe(HOUR);
});

test('rounds that fail are one break', () => {
  const watch = createWatch(60_000);
  round(watch, NOW);
  for (const minute of [5, 6, 7]) watch.mayJudge(NOW + minute * 60_000);
  round(watch, NOW + 8 * 60_000);
  expect(watch.age(NOW, NOW + 9 * 60_000)).toBe(60_000);
});
