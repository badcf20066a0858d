// Fairness between owners, in numbers: a queue, slots that take what stands first, and owners who send as they like.
// The clock and the reads of the queue are as stale as the api's.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readWorkOrder, workOrder } from '../../functions/core/names.ts';
import {
  type LastStartTag,
  virtualTimeOf,
  type QueueSnapshot,
  nextStartTag,
  STEP,
} from '../../functions/core/start-tag.ts';

const START = 1_800_000_000_000;
const SECOND = 1000;

interface Arrival {
  owner: string;
  /** ms from the start */
  at: number;
}
interface Job extends Arrival {
  order: string;
  startedAt: number;
}
interface Setting {
  slots: number;
  jobMs: number;
  /** How old a read of the queue may be. */
  stale?: number;
  /** False: the order of acceptance, as without limits. */
  fair?: boolean;
}

/** @returns all jobs in the order of their starts */
function simulate(
  arrivals: readonly Arrival[],
  { slots, jobMs, stale = SECOND, fair = true }: Setting,
): Job[] {
  const coming = arrivals.toSorted((a, b) => a.at - b.at);
  const waiting: Job[] = [];
  const running: { job: Job; endsAt: number }[] = [];
  const started: Job[] = [];
  const lasts = new Map<string, LastStartTag>();
  let poll: QueueSnapshot | undefined;
  let virtualTime = 0;

  const accept = ({ owner, at }: Arrival, sequence: number) => {
    const now = START + at;
    if (!poll || now - poll.at >= stale)
      poll = {
        at: now,
        head: waiting[0] && readWorkOrder(waiting[0].order).startTag,
        maxStartTagInService:
          running.length === 0
            ? undefined
            : Math.max(...running.map(({ job }) => readWorkOrder(job.order).startTag)),
      };
    const stands = virtualTimeOf(poll, now, virtualTime);
    virtualTime = stands.startTag;
    const startTag = fair ? nextStartTag(lasts.get(owner), stands) : now;
    lasts.set(owner, { startTag, at: now });
    const id = String(sequence).padStart(8, '0');
    waiting.push({ owner, at, order: workOrder(startTag, sequence, id, owner, now), startedAt: NaN });
    waiting.sort((a, b) => (a.order < b.order ? -1 : 1));
  };
  const fill = (at: number) => {
    while (running.length < slots && waiting.length > 0) {
      const job = waiting.shift()!;
      job.startedAt = at;
      started.push(job);
      running.push({ job, endsAt: at + jobMs });
    }
  };

  for (let next = 0; next < coming.length || running.length > 0;) {
    const ends = Math.min(...running.map(({ endsAt }) => endsAt));
    const arrival = coming[next];
    if (arrival && arrival.at < ends) {
      accept(arrival, next);
      next += 1;
      fill(arrival.at);
    } else {
      for (let index = running.length - 1; index >= 0; index -= 1)
        if (running[index]!.endsAt === ends) running.splice(index, 1);
      fill(ends);
    }
  }
  return started;
}

/** One every so many ms, from then on. */
const sends = (owner: string, count: number, from: number, every: number): Arrival[] =>
  Array.from({ length: count }, (_, index) => ({ owner, at: from + index * every }));

const setting = { slots: 2, jobMs: 45 * SECOND };
const of = (jobs: readonly Job[], owner: string) => jobs.filter((job) => job.owner === owner);
const wait = (job: Job) => (job.startedAt - job.at) / SECOND;

describe('one host with two slots, jobs of 45 s; alice has 1,000 waiting', () => {
  const alice = sends('alice', 1000, 0, 5);

  test.each([
    ['just behind them', 10 * SECOND],
    ['an hour later', 3600 * SECOND],
    ['while they come in', 2500],
  ])('bob comes with 1 %s: one job a slot is before it', (name, at) => {
    const arrivals = [...alice, { owner: 'bob', at }];
    const jobs = simulate(arrivals, setting);
    const [bob] = of(jobs, 'bob');
    const between = jobs.filter((job) => job.startedAt > at && job.startedAt <= bob!.startedAt).length - 1;
    const [inOrder] = of(simulate(arrivals, { ...setting, fair: false }), 'bob');
    console.log(
      `bob comes ${name}: waits ${wait(bob!)} s with ${between} of alice's started before it; in order of acceptance ${wait(inOrder!)} s`,
    );
    expect(between).toBeLessThanOrEqual(setting.slots);
    expect(wait(bob!)).toBeLessThanOrEqual(45 * 2);
  });

  test('bob came first: he does not wait, and alice waits for one job of his', () => {
    const jobs = simulate([{ owner: 'bob', at: 0 }, ...sends('alice', 1000, 1, 5)], setting);
    expect(wait(of(jobs, 'bob')[0]!)).toBe(0);
    const alone = simulate(sends('alice', 1000, 1, 5), setting);
    const lateBy = of(jobs, 'alice').at(-1)!.startedAt - alone.at(-1)!.startedAt;
    console.log(`bob came first: he waits 0 s, alice's last job is ${lateBy / SECOND} s later than alone`);
    expect(lateBy).toBeLessThanOrEqual(45 * SECOND);
  });

  test('bob sends one whenever his last has started: neither starves, each gets half', () => {
    // He reacts within a second, by his own jobs alone.
    let arrivals: Arrival[] = [...alice, { owner: 'bob', at: 20 * SECOND }];
    for (let count = 1; count < 20; count += 1) {
      const last = of(simulate(arrivals, setting), 'bob').at(-1)!;
      arrivals = [...arrivals, { owner: 'bob', at: last.startedAt + SECOND }];
    }
    const jobs = simulate(arrivals, setting);
    const bob = of(jobs, 'bob');
    const span = jobs.filter(
      (job) => job.startedAt > bob[0]!.startedAt && job.startedAt <= bob.at(-1)!.startedAt,
    );
    const share = of(span, 'bob').length / span.length;
    console.log(
      `bob sends one at a time: he gets ${(share * 100).toFixed(0)} % of the slots, waits ${Math.max(...bob.map(wait))} s at most`,
    );
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.55);
    expect(Math.max(...bob.map(wait))).toBeLessThanOrEqual(45 * setting.slots);
  });
});

test('three owners with backlogs, who came one after the other, share equally within a job', () => {
  const arrivals = [
    ...sends('alice', 1000, 0, 5),
    ...sends('bob', 300, 600 * SECOND, 5),
    ...sends('carol', 200, 1800 * SECOND, 5),
  ];
  const jobs = simulate(arrivals, setting);
  const worst = { 'bob and alice': 0, 'all three': 0 };
  // From the moment that all of a newcomer's jobs wait until it has none left.
  const apart = (owners: string[], from: number) => {
    const span = jobs.filter((job) => job.startedAt > from);
    const last = Math.min(...owners.map((owner) => of(span, owner).at(-1)!.startedAt));
    const counts = Object.fromEntries(owners.map((owner) => [owner, 0]));
    let most = 0;
    for (const job of span.filter(({ startedAt }) => startedAt <= last)) {
      if (job.owner in counts) counts[job.owner]! += 1;
      most = Math.max(most, Math.max(...Object.values(counts)) - Math.min(...Object.values(counts)));
    }
    return most;
  };
  worst['bob and alice'] = apart(['alice', 'bob'], 605 * SECOND);
  worst['all three'] = apart(['alice', 'bob', 'carol'], 1805 * SECOND);
  console.log(`three backlogs: at any moment at most ${JSON.stringify(worst)} jobs apart`);
  expect(Math.max(...Object.values(worst))).toBeLessThanOrEqual(1);
});

test('the order of acceptance, where one owner is alone; and an owner’s own jobs keep theirs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ owner: fc.constantFrom('alice', 'bob', 'carol'), at: fc.nat(600 * SECOND) }), {
        maxLength: 80,
      }),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(100, 3000, 45 * SECOND),
      (arrivals, slots, jobMs) => {
        const jobs = simulate(arrivals, { slots, jobMs });
        expect(jobs).toHaveLength(arrivals.length);
        for (const owner of ['alice', 'bob', 'carol']) {
          const own = of(jobs, owner).map(({ at }) => at);
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
        const one = arrivals.map((arrival) => ({ ...arrival, owner: 'alice' }));
        const alone = simulate(one, { slots, jobMs }).map(({ at }) => at);
        expect(alone).toEqual(alone.toSorted((a, b) => a - b));
      },
    ),
    { numRuns: 200 },
  );
});

describe('where the queue stands', () => {
  const poll = (more: Partial<QueueSnapshot> = {}): QueueSnapshot => ({ at: START, ...more });

  test('a requeued job does not give new owners its old place', () => {
    const stands = virtualTimeOf(poll({ head: START, maxStartTagInService: START + 500 * STEP }), START);
    expect(stands.startTag).toBe(START + 500 * STEP);
  });

  test('nor does an unrunnable one, once a read has seen a later start tag', () => {
    const seen = virtualTimeOf(poll({ head: START + 7 * STEP }), START).startTag;
    expect(virtualTimeOf(poll({ head: START }), START, seen).startTag).toBe(seen);
  });

  test('an owner who has used the queue while nothing waited owes nothing', () => {
    const virtualTime = virtualTimeOf(poll({ at: START + 60_000 }), START + 60_000);
    expect(nextStartTag({ startTag: START + 900 * STEP, at: START }, virtualTime)).toBe(START + 60_000);
  });

  test('a burst within one read is spread, so that the next owner comes in between', () => {
    const virtualTime = virtualTimeOf(poll(), START);
    const first = nextStartTag(undefined, virtualTime);
    expect(nextStartTag({ startTag: first, at: START + 3 }, virtualTime)).toBe(first + STEP);
  });
});
