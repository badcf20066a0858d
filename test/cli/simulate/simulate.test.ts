// The simulated day: small ones computed by hand, and what holds on every day. Then the command as it is typed.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simulateDay, type World } from '../../../functions/cli/simulate/day.ts';
import { Heap } from '../../../functions/cli/simulate/heap.ts';
import { readFlags } from '../../../functions/cli/flags.ts';
import { programOver } from '../../../functions/cli/simulate/options.ts';
import { quantile, rowOf, tableOf } from '../../../functions/cli/simulate/table.ts';
import { arrivalsOf, DAY_SECONDS } from '../../../functions/cli/simulate/traffic.ts';
import { NEVER_WARM, readWarm } from '../../../functions/core/warm-schedule.ts';
import { build, startProgram } from '../../support/program.ts';

const world = (more: Partial<World> = {}): World => ({
  secondsPerJob: 30,
  startSeconds: 300,
  idleSeconds: 600,
  maxHosts: 2,
  maxWaiting: 1000,
  ...more,
});
const day = (arrivals: number[], more: Partial<World> = {}) => {
  const { waits, ...rest } = simulateDay(Float64Array.from(arrivals), world(more));
  return { waits: [...waits], ...rest };
};

describe('by hand', () => {
  test('a day without jobs costs nothing', () => {
    expect(day([])).toEqual({
      waits: [],
      refused: 0,
      gpuSeconds: 0,
      busySeconds: 0,
      mostHosts: 0,
      starts: 0,
    });
  });

  test('one job waits for the start; its host runs it, idles and ends', () => {
    expect(day([100])).toEqual({
      waits: [300],
      refused: 0,
      gpuSeconds: 300 + 30 + 600,
      busySeconds: 30,
      mostHosts: 1,
      starts: 1,
    });
  });

  test('a second finds the host up, a third comes too late for it', () => {
    // Up at 400, done at 430; the second runs from 500 to 530; the host ends at 1130. The third starts another.
    expect(day([100, 500, 1131])).toMatchObject({
      waits: [300, 0, 300],
      gpuSeconds: 1030 + 930,
      starts: 2,
      mostHosts: 1,
    });
    expect(day([100, 500, 1129])).toMatchObject({
      waits: [300, 0, 0],
      starts: 1,
      gpuSeconds: 300 + (1159 - 400) + 600,
    });
  });

  test('a backlog of more than five minutes of work raises a second host', () => {
    // Unmeasured, a job is taken for 45 s: of seven, 315 s of work. The raise waits for the cool-down: at 120 s.
    const seven = day([0, 1, 2, 3, 4, 5, 6]);
    expect(seven.starts).toBe(2);
    // One host from 300 s, both from 420: they start at 300, 330, 360, 390, 420, 420, 450.
    expect(seven.waits).toEqual([300, 329, 358, 387, 416, 415, 444]);
    expect(day([0, 1, 2, 3, 4, 5]).starts).toBe(1);
  });

  test('what comes while too many wait is refused', () => {
    expect(day([0, 1, 2, 3], { maxWaiting: 2 })).toMatchObject({ refused: 2, waits: [300, 329] });
  });

  test('a host that is wanted warm is up before the first job, and paid for until it is not', () => {
    const warmth = { minHosts: 0, spans: readWarm('mon 08:00-10:00 UTC=1') };
    const eight = 8 * 3600;
    expect(day([eight + 3600], { warmth })).toMatchObject({
      waits: [0],
      starts: 1,
      // Started by the round at 8:00; asked again each minute once it is idle, and ended by 10:01.
      gpuSeconds: expect.closeTo(2 * 3600 + 60, -2),
    });
    expect(day([], { warmth: { minHosts: 1, spans: [] } }).gpuSeconds / 3600).toBeCloseTo(24, 0);
    expect(day([eight], { warmth: { minHosts: 0, spans: readWarm('tue 08:00-10:00 UTC=1') } }).waits).toEqual(
      [300],
    );
  });

  test('a host that takes longer than its 15 minutes never gets to work', () => {
    const { starts, waits, gpuSeconds } = day([0], { startSeconds: 890 });
    expect({ starts, waits, gpuSeconds }).toEqual({ starts: 1, waits: [890], gpuSeconds: 890 + 30 + 600 });
  });
});

test('on every day all jobs run once and in order, hosts stay within their number, and hours are paid that are worked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: DAY_SECONDS, noNaN: true }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      fc.double({ min: 1, max: 600, noNaN: true }),
      fc.integer({ min: 0, max: 800 }),
      fc.integer({ min: 30, max: 3600 }),
      (moments, maxHosts, secondsPerJob, startSeconds, idleSeconds) => {
        const arrivals = Float64Array.from(moments).sort();
        const { waits, gpuSeconds, busySeconds, mostHosts, starts } = simulateDay(
          arrivals,
          world({ maxHosts, secondsPerJob, startSeconds, idleSeconds }),
        );
        expect(waits.length).toBe(arrivals.length);
        const begun = [...waits].map((wait, n) => arrivals[n]! + wait);
        expect(begun).toEqual([...begun].sort((a, b) => a - b));
        if (waits.length > 0) expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
        expect(mostHosts).toBeLessThanOrEqual(maxHosts);
        expect(busySeconds).toBeCloseTo(arrivals.length * secondsPerJob, 3);
        expect(gpuSeconds).toBeGreaterThanOrEqual(busySeconds + starts * (startSeconds + idleSeconds) - 1e-3);
        // No more at once than there are hosts.
        begun.forEach((at) => {
          const running = begun.filter((other) => other <= at && at < other + secondsPerJob - 1e-6);
          expect(running.length).toBeLessThanOrEqual(maxHosts);
        });
      },
    ),
    { numRuns: 200 },
  );
});

test('a day is the same from the same seed, fuller in the afternoon than at night', () => {
  const arrivals = arrivalsOf(20_000, 7);
  expect(arrivals).toEqual(arrivalsOf(20_000, 7));
  expect(arrivals).not.toEqual(arrivalsOf(20_000, 8));
  const between = (from: number, to: number) =>
    arrivals.filter((at) => at >= from * 3600 && at < to * 3600).length;
  // The rate is 1 + 0.8 cos: over the three hours around the peak 1.78 times the mean, around 3:00 0.22 times.
  expect(between(13.5, 16.5) / 2500).toBeCloseTo(1.78, 1);
  expect(between(1.5, 4.5) / 2500).toBeCloseTo(0.22, 1);
});

test('a heap gives the least first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a < b);
      for (const number of numbers) heap.push(number);
      expect(numbers.map(() => heap.pop())).toEqual([...numbers].sort((a, b) => a - b));
      expect(heap.pop()).toBeUndefined();
    }),
  );
});

test('a row says waiting, hours and dollars', () => {
  const sorted = Float64Array.from([1, 2, 3, 4]);
  expect([0, 0.5, 0.75, 0.95, 1].map((part) => quantile(sorted, part))).toEqual([1, 2, 3, 4, 4]);
  const result = {
    waits: Float64Array.from([300, 30]),
    refused: 0,
    gpuSeconds: 3600,
    busySeconds: 900,
    mostHosts: 1,
    starts: 1,
  };
  const row = rowOf(1000, 2, result, 2.24);
  expect(row).toEqual(['1,000', '2', '1', '1', '30 s', '5.0 min', '0', '1.0', '25 %', '2.24', '1120.00']);
  expect(
    tableOf([row])
      .split('\n')
      .map((line) => line.length),
  ).toEqual([1, 1, 1].map(() => tableOf([row]).indexOf('\n')));
});

describe('the command line', () => {
  const deployed = { usdPerHour: 2.24, idleMinutes: 10, warmth: NEVER_WARM };
  test.each([
    [['--jobs', '1,x'], '--jobs must be whole numbers from 0 to 3000000, separated by commas; it is "1,x"'],
    [['--seconds-per-job=0'], '--seconds-per-job must be a number from 0.01 to 3600; it is "0"'],
    [['--max-hosts', '1.5'], '--max-hosts must be a whole number'],
    [['--seed'], '--seed needs a value'],
    [['--warm', 'always'], '--warm: "always" is no span'],
    [['--min-hosts', '-1'], '--min-hosts must be a whole number from 0 to 1000'],
    [
      ['--hosts', '3'],
      'Unknown flag --hosts; npm run simulate -- takes --jobs, --min-hosts, --warm, --seconds-per-job,',
    ],
    [['1000'], '"1000" is too many: flags come behind npm run simulate --'],
  ])('%j is refused', (argv, sentence) => {
    expect(() => readFlags(programOver(deployed), argv)).toThrow(sentence);
  });

  test('as typed: a table for what was asked, or one sentence', async () => {
    await build();
    const run = async (...args: string[]) => {
      const program = startProgram('simulate', {}, args);
      return { code: await program.ended, output: program.output() };
    };
    const program = startProgram('simulate', {}, ['--jobs', '0,1000', '--seed', '3']);
    try {
      await program.until(
        /^\| jobs a day \|.*\n\|[-:|]+\|\n\| +0 \| +2 \| +0 \|.* 0\.00 \| .*\n\| +1,000 \|.*\n\nA job takes 45 s of a GPU/,
      );
    } finally {
      // The load on the tables, which follows for the better part of a minute, is load.test.ts's.
      program.stop();
    }
    expect(await run('--jobs', 'many')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^--jobs must be [^\n]*\n$/),
    });
    expect((await run('--help')).output).toContain('--usd-per-hour');
  }, 120_000);
});
