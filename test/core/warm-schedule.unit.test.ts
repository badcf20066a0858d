// The schedule of hosts that stay up: what is read, what is refused, and when it holds, over the changes of summer time.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWarm, warmHosts } from '../../functions/core/warm-schedule.ts';

const at = (text: string, time: string) =>
  warmHosts({ minHosts: 0, spans: readWarm(text) }, Date.parse(time));
const OFFICE = 'mon-fri 08:00-18:00 Europe/Berlin=1';

test.each([
  // Winter: Berlin is an hour ahead. 2026-11-23 is a Monday.
  [OFFICE, '2026-11-23T06:59:59Z', 0],
  [OFFICE, '2026-11-23T07:00:00Z', 1],
  [OFFICE, '2026-11-23T16:59:59Z', 1],
  [OFFICE, '2026-11-23T17:00:00Z', 0],
  [OFFICE, '2026-11-22T12:00:00Z', 0],
  // Summer: two.
  [OFFICE, '2026-07-06T05:59:59Z', 0],
  [OFFICE, '2026-07-06T06:00:00Z', 1],
  // The days before and after the clocks change, on 2026-03-29 and 2026-10-25.
  ['sat-sun 08:00-09:00 Europe/Berlin=2', '2026-03-28T07:00:00Z', 2],
  ['sat-sun 08:00-09:00 Europe/Berlin=2', '2026-03-29T07:00:00Z', 0],
  ['sat-sun 08:00-09:00 Europe/Berlin=2', '2026-03-29T06:00:00Z', 2],
  ['sat-sun 08:00-09:00 Europe/Berlin=2', '2026-10-25T06:59:00Z', 0],
  ['sat-sun 08:00-09:00 Europe/Berlin=2', '2026-10-25T07:00:00Z', 2],
  // Past midnight it is the day before's.
  ['fri 22:00-06:00 UTC=3', '2026-11-27T21:59:00Z', 0],
  ['fri 22:00-06:00 UTC=3', '2026-11-27T22:00:00Z', 3],
  ['fri 22:00-06:00 UTC=3', '2026-11-28T05:59:00Z', 3],
  ['fri 22:00-06:00 UTC=3', '2026-11-28T06:00:00Z', 0],
  ['fri 22:00-06:00 UTC=3', '2026-11-27T05:00:00Z', 0],
  // Several, over the end of the week, and a whole day.
  ['mon,wed 00:00-24:00 UTC=1', '2026-11-25T23:59:00Z', 1],
  ['mon,wed 00:00-24:00 UTC=1', '2026-11-26T00:00:00Z', 0],
  ['sat-mon 10:00-11:00 UTC=1', '2026-11-23T10:30:00Z', 1],
  [`${OFFICE}; mon 09:00-10:00 Europe/Berlin=4;`, '2026-11-23T08:30:00Z', 4],
  [`${OFFICE}; mon 09:00-10:00 Europe/Berlin=4;`, '2026-11-23T10:30:00Z', 1],
  ['', '2026-11-23T10:30:00Z', 0],
])('%s at %s: %d', (text, time, hosts) => {
  expect(at(text, time)).toBe(hosts);
});

test('the least number holds at any time, the schedule above it', () => {
  const warmth = { minHosts: 2, spans: readWarm('mon 10:00-11:00 UTC=1; mon 10:00-10:30 UTC=5') };
  expect(warmHosts(warmth, Date.parse('2026-11-23T10:45:00Z'))).toBe(2);
  expect(warmHosts(warmth, Date.parse('2026-11-23T10:15:00Z'))).toBe(5);
});

test.each([
  ['always', 'is no span such as'],
  ['mon-fri 8:00-18:00 UTC=1', 'is no span such as'],
  ['mon-fri 08:00-18:00 UTC', 'is no span such as'],
  ['mon-fry 08:00-18:00 UTC=1', 'has the days "mon-fry"; days are sun, mon,'],
  ['mon-wed-fri 08:00-18:00 UTC=1', 'has the days "mon-wed-fri"'],
  ['mon 08:60-18:00 UTC=1', 'has the time 08:60; times are from 00:00 to 24:00'],
  ['mon 08:00-24:01 UTC=1', 'has the time 24:01'],
  ['mon 08:00-08:00 UTC=1', 'has no length; a whole day is 00:00-24:00'],
  ['mon 24:00-06:00 UTC=1', 'has no length'],
  ['mon 08:00-18:00 Berlin=1', 'has the time zone Berlin, which is none'],
])('%s is refused with what is wrong with it', (text, sentence) => {
  expect(() => readWarm(`${OFFICE};${text}`)).toThrow(sentence);
});

describe('whatever the zone and the day', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
  );
  const minutes = fc.integer({ min: 0, max: 24 * 60 - 1 });
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  const moments = fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') });

  test('a span and what is left of the days make every moment once', () => {
    fc.assert(
      fc.property(zones, minutes, minutes, moments, (zone, from, to, moment) => {
        fc.pre(from !== to);
        const inside = readWarm(`sun-sat ${clock(from)}-${clock(to)} ${zone}=1`);
        const outside = readWarm(`sun-sat ${clock(to)}-${clock(from)} ${zone}=1`);
        const hosts = [inside, outside].map((spans) => warmHosts({ minHosts: 0, spans }, moment));
        expect(hosts[0]! + hosts[1]!).toBe(1);
      }),
    );
  });

  test('eight hours by the wall clock are seven to nine by the sun, once on each of its days', () => {
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 52 }), (zone, week) => {
        const spans = readWarm(`sun-sat 00:30-08:30 ${zone}=1`);
        const start = Date.parse('2026-01-04T12:00:00Z') + week * 7 * 86_400_000;
        let warm = 0;
        for (let minute = 0; minute < 7 * 24 * 60; minute += 10)
          warm += warmHosts({ minHosts: 0, spans }, start + minute * 60_000) / 6;
        expect(Math.abs(warm - 56)).toBeLessThanOrEqual(1.001);
      }),
      { numRuns: 30 },
    );
  });
});
