// The tables' clock: one's own, corrected by what DynamoDB's Date headers prove, and by no more than that.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTableClock } from '../../functions/store/clock.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-05-01T12:00:00.000Z');

/** A machine whose clock is `ahead` of the table's, and a table that answers after `latency`. */
function simulate(ahead: number) {
  const machine = { table: START, ahead };
  const local = () => machine.table + machine.ahead;
  const clock = createTableClock(local);
  return {
    machine,
    clock,
    ask(latency = 20, lag = 0) {
      const sentAt = local();
      machine.table += latency / 2;
      const header = new Date(Math.floor((machine.table - lag) / 1000) * 1000).toUTCString();
      machine.table += latency / 2;
      clock.observe(header, sentAt, local());
    },
    pass(milliseconds: number) {
      machine.table += milliseconds;
    },
    error: () => clock.now() - machine.table,
  };
}

describe('a corrected clock', () => {
  it.each([2 * MINUTE, -2 * MINUTE])(
    'is right within two seconds after one answer, when %d ms off',
    (ahead) => {
      const { ask, error } = simulate(ahead);
      expect(error()).toBe(ahead);
      ask();
      expect(Math.abs(error())).toBeLessThanOrEqual(2020);
    },
  );

  it.each([2 * MINUTE, -2 * MINUTE])('grows more exact with each answer, when %d ms off', (ahead) => {
    const { ask, pass, error } = simulate(ahead);
    for (let n = 0; n < 40; n += 1) {
      ask();
      pass(1037);
    }
    // What is left when behind is one answer's latency; when ahead, the second by which a header may lag.
    expect(Math.abs(error())).toBeLessThan(1060);
  });

  it.each([0, 999])('that is right already is left alone: %d ms into a second', (into) => {
    const { machine, ask, pass, clock } = simulate(0);
    machine.table += into;
    for (let n = 0; n < 200; n += 1) {
      ask(20, n % 2 === 0 ? 0 : 900);
      pass(777);
      expect(clock.now()).toBe(machine.table);
    }
  });

  it.each([3 * MINUTE, -3 * MINUTE, 86_400_000, -86_400_000])(
    'follows when the own clock jumps by %d ms',
    (jump) => {
      const { machine, ask, pass, error } = simulate(0);
      for (let n = 0; n < 10; n += 1) ask();
      machine.ahead += jump;
      pass(100);
      ask();
      expect(Math.abs(error())).toBeLessThanOrEqual(2020);
    },
  );

  it('forgets what it was told a minute ago: clocks drift', () => {
    const { machine, ask, pass, error } = simulate(-900);
    for (let n = 0; n < 60; n += 1) {
      ask();
      pass(999);
    }
    expect(error()).toBeGreaterThan(-200);
    // Set right meanwhile, which contradicts none of the bounds at once.
    machine.ahead = 0;
    for (let n = 0; n < 80; n += 1) {
      ask();
      pass(999);
    }
    expect(error()).toBe(0);
  });

  it.each([undefined, '', 'yesterday'])('is the own one while the Date header is %j', (header) => {
    const clock = createTableClock(() => START);
    clock.observe(header, START - 10, START);
    expect(clock.now()).toBe(START);
  });

  it('a header that is missing takes back nothing', () => {
    const { clock, machine, ask, error } = simulate(2 * MINUTE);
    ask();
    const before = error();
    clock.observe(undefined, machine.table, machine.table);
    expect(error()).toBe(before);
  });

  it('is never further off than the bounds leave open, whatever the latencies', () => {
    const answer = fc.record({
      latency: fc.integer({ min: 0, max: 5000 }),
      lag: fc.integer({ min: 0, max: 1000 }),
      later: fc.integer({ min: 0, max: 30_000 }),
    });
    const property = fc.property(
      fc.integer({ min: -600_000, max: 600_000 }),
      fc.array(answer, { minLength: 1, maxLength: 30 }),
      (ahead, answers) => {
        const { ask, pass, error } = simulate(ahead);
        for (const { latency, lag, later } of answers) {
          ask(latency, lag);
          expect(Math.abs(error())).toBeLessThanOrEqual(Math.min(Math.abs(ahead), 2000 + latency));
          pass(later);
        }
      },
    );
    fc.assert(property, { seed: 5, numRuns: 500 });
  });
});

describe('of a process that lives long', () => {
  /** Nobody sets its own clock; the table's stands on the wall. */
  function live() {
    const machine = { passed: 0, wall: START };
    const jumps: number[] = [];
    const clock = createTableClock(() => START + machine.passed, true);
    clock.onJump((by) => jumps.push(Math.round(by / MINUTE)));
    const pass = (ms: number) => {
      machine.passed += ms;
      machine.wall += ms;
    };
    const ask = () => {
      const sentAt = START + machine.passed;
      pass(10);
      clock.observe(new Date(machine.wall).toUTCString(), sentAt, START + machine.passed);
    };
    return { machine, clock, jumps, pass, ask };
  }

  it('a jump forward is followed, and told once', () => {
    const { machine, clock, jumps, pass, ask } = live();
    for (let n = 0; n < 5; n += 1) ask();
    machine.wall += 25 * 60 * MINUTE;
    for (let n = 0; n < 50; n += 1) {
      ask();
      pass(3000);
    }
    expect(jumps).toEqual([25 * 60]);
    expect(Math.abs(clock.now() - machine.wall)).toBeLessThan(2020);
  });

  it('one that is set back by two hours is told once and waited for: time goes at half its pace, and never back', () => {
    const { machine, clock, jumps, pass, ask } = live();
    for (let n = 0; n < 5; n += 1) ask();
    machine.wall -= 120 * MINUTE;
    let before = clock.now();
    for (let n = 0; n < 120; n += 1) {
      ask();
      pass(MINUTE - 10);
      expect(clock.now() - before).toBeGreaterThan(25_000);
      before = clock.now();
    }
    expect(clock.now() - machine.wall).toBeGreaterThan(58 * MINUTE);
    for (let n = 0; n < 125; n += 1) {
      ask();
      pass(MINUTE);
    }
    expect(Math.abs(clock.now() - machine.wall)).toBeLessThan(2020);
    expect(jumps).toEqual([-120]);
  });

  it('an answer that was on its way when the clock was set is no jump back', () => {
    const { machine, clock, jumps, pass, ask } = live();
    ask();
    const sentAt = START + machine.passed;
    const old = new Date(machine.wall).toUTCString();
    machine.wall += 25 * 60 * MINUTE;
    pass(5);
    ask();
    clock.observe(old, sentAt, START + machine.passed);
    expect(jumps).toEqual([25 * 60]);
    expect(Math.abs(clock.now() - machine.wall)).toBeLessThan(2020);
  });
});
