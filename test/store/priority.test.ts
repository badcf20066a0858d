// Priorities on the tables: a new job goes before its owner's lower ones, and its owner's turns stay what they are without.

import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { cancel, claim, type JobState } from '../../functions/core/job.ts';
import { jobIdFrom, ownerOrder, readWorkOrder, workOrder } from '../../functions/core/names.ts';
import { isLower, PRIORITIES, type Priority } from '../../functions/core/priority.ts';
import { STEP } from '../../functions/core/start-tag.ts';
import { takeTurn } from '../../functions/queue/turns.ts';
import { createJobs, type Jobs } from '../../functions/store/jobs.ts';
import { HOST, NOW, STATES } from '../core/job-states.ts';
import { startEmbedded, startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

interface Accepted {
  jobId: string;
  owner: string;
  priority: Priority;
}

/** The turns that owners were given, and their jobs in the order of acceptance. */
let given = new Map<string, number[]>();
let accepted: Accepted[] = [];
let made = 0;

afterEach(async () => {
  for (const { jobId } of await store.jobs.listWork('waiting', Infinity))
    await store.jobs.write(jobId, cancel(NOW));
  given = new Map();
  accepted = [];
});

function nextTurn(owner: string, gap: number): number {
  const own = given.get(owner) ?? [];
  const startTag = (own.at(-1) ?? NOW) + gap;
  given.set(owner, [...own, startTag]);
  return startTag;
}

/** As the API does: the turn, then the job. */
async function accept(
  owner: string,
  priority: Priority,
  { gap = STEP, jobs = store.jobs }: { gap?: number; jobs?: Jobs } = {},
): Promise<string> {
  const number = (made += 1);
  const jobId = jobIdFrom({ owner, key: String(number) });
  const turn = await takeTurn(jobs, { owner, priority, startTag: nextTurn(owner, gap) });
  await jobs.putState(stateOf(owner, jobId, turn.startTag, number, priority), 1);
  accepted.push({ jobId, owner, priority });
  return jobId;
}

function stateOf(owner: string, jobId: string, startTag: number, n: number, priority?: Priority): JobState {
  const now = NOW + n;
  const order = workOrder(startTag, n, jobId, owner, now, undefined, priority);
  return { ...STATES.waiting, jobId, owner, workOrder: order, ownerOrder: ownerOrder(now, jobId) };
}

/** As a host does. @returns false: another has it */
async function take(jobId: string, jobs: Jobs = store.jobs): Promise<boolean> {
  const state = await jobs.readState(jobId);
  return state?.work === 'waiting' && (await jobs.write(jobId, claim(state, HOST, NOW, false)));
}

const waitingOf = async (owner: string, jobs: Jobs = store.jobs) =>
  (await jobs.listWork('waiting', Infinity, undefined, owner)).map(({ jobId }) => jobId);

/** An owner's turns, as its jobs have them now, whatever has become of them. */
async function turns(owner: string): Promise<number[]> {
  const ids = accepted.filter((job) => job.owner === owner).map(({ jobId }) => jobId);
  const states = await store.jobs.readStates(ids, { consistent: true });
  return states.map((state) => readWorkOrder(state.workOrder).startTag).sort((a, b) => a - b);
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      owner: fc.constantFrom('anna', 'bob'),
      priority: fc.constantFrom(...PRIORITIES),
      gap: fc.constantFrom(STEP, STEP, 7 * STEP),
    }),
  },
  { weight: 2, arbitrary: fc.constant('claim' as const) },
  { weight: 1, arbitrary: fc.nat(30) },
);

it.each([1, 3])(
  'a new job goes before its owner’s lower ones, of which the first goes last; turns are exchanged alone (%i shards)',
  async (shards) => {
    const spread = {
      ...store.spread,
      readCached: async () => ({ hosts: 1, read: shards, write: shards, changedAt: 0 }),
    };
    const jobs = createJobs(store.engine, spread);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        given = new Map();
        accepted = [];
        /** By owner, in the order in which they will be claimed. */
        const model: Record<string, Accepted[]> = { anna: [], bob: [] };
        const gone = (jobId: string) => {
          for (const own of Object.values(model)) {
            const at = own.findIndex((job) => job.jobId === jobId);
            if (at >= 0) return own.splice(at, 1).length === 1;
          }
          return false;
        };
        for (const one of steps) {
          if (one === 'claim') {
            const [first] = await jobs.listWork('waiting', 1);
            if (!first) continue;
            expect(await take(first.jobId, jobs)).toBe(true);
            gone(first.jobId);
          } else if (typeof one === 'number') {
            const job = accepted[one];
            if (job && gone(job.jobId)) await jobs.write(job.jobId, cancel(NOW));
          } else {
            const own = model[one.owner]!;
            const jobId = await accept(one.owner, one.priority, { gap: one.gap, jobs });
            const lower = own.findIndex(({ priority }) => isLower(priority, one.priority));
            const [back] = own.splice(lower < 0 ? own.length : lower, lower < 0 ? 0 : 1, {
              jobId,
              owner: one.owner,
              priority: one.priority,
            });
            if (back) own.push(back);
            const place = own.findIndex((job) => job.jobId === jobId);
            expect(own.slice(0, place).some(({ priority }) => isLower(priority, one.priority))).toBe(false);
            // Only normal ones that went back stand behind low ones.
            const high = own.filter(({ priority }) => priority === 'high');
            expect(own.slice(0, high.length)).toEqual(high);
          }
          for (const [owner, own] of Object.entries(model))
            expect(await waitingOf(owner, jobs)).toEqual(own.map(({ jobId }) => jobId));
        }
        for (const [owner, own] of given) expect(await turns(owner)).toEqual(own);
        for (const { jobId } of Object.values(model).flat()) await jobs.write(jobId, cancel(NOW));
      }),
      { numRuns: inject('engine') === 'embedded' ? 60 : 15 },
    );
  },
  120_000,
);

it('high ones keep the order in which they came; each sends the first of the others to the end', async () => {
  const [a, b, c, low] = [
    await accept('anna', 'normal'),
    await accept('anna', 'normal'),
    await accept('anna', 'normal'),
    await accept('anna', 'low'),
  ];
  const high = [await accept('anna', 'high'), await accept('anna', 'high')];
  expect(await waitingOf('anna')).toEqual([...high, c, low, a, b]);
  expect(await turns('anna')).toEqual(given.get('anna'));
});

describe.skipIf(inject('engine') !== 'embedded')('before ten thousand', () => {
  async function waitingFor(priority: Priority) {
    const own = await startEmbedded();
    const ids = Array.from({ length: 10_000 }, (_, n) =>
      jobIdFrom({ owner: 'carl', key: `${priority} ${n}` }),
    );
    for (let from = 0; from < ids.length; from += 1000)
      await Promise.all(
        ids.slice(from, from + 1000).map((jobId, index) => {
          const n = from + index;
          return own.jobs.putState(stateOf('carl', jobId, NOW + n * STEP, n, priority), 1);
        }),
      );
    given.set('carl', [NOW + 9999 * STEP]);
    let calls = 0;
    const counted = <Args extends unknown[], Answer>(call: (...args: Args) => Answer) => {
      return (...args: Args) => ((calls += 1), call(...args));
    };
    const { write, readState, listWork } = own.jobs;
    const jobs: Jobs = {
      ...own.jobs,
      write: counted(write),
      readState: counted(readState),
      listWork: counted(listWork),
    };
    return { own, ids, jobs, calls: () => calls };
  }

  it('lower ones a high one reads a page and writes once', async () => {
    const { own, ids, jobs, calls } = await waitingFor('normal');
    const high = await accept('carl', 'high', { jobs });
    expect(calls()).toBe(2);
    expect(await waitingOf('carl', own.jobs)).toEqual([high, ...ids.slice(1), ids[0]]);
    await own.close();
  }, 120_000);

  it('of its equals it reads them in six pages, writes nothing and is the last', async () => {
    const { own, ids, jobs, calls } = await waitingFor('high');
    const high = await accept('carl', 'high', { jobs });
    expect(calls()).toBe(6);
    expect(await waitingOf('carl', own.jobs)).toEqual([...ids, high]);
    await own.close();
  }, 120_000);
});

type Death = 'before the exchange' | 'after the exchange' | 'before the put' | 'after the put';

function dying(at: Death): Jobs {
  const die = (): never => {
    throw new Error('died');
  };
  return {
    ...store.jobs,
    async write(jobId, change) {
      if (at === 'before the exchange') die();
      const answer = await store.jobs.write(jobId, change);
      return at === 'after the exchange' ? die() : answer;
    },
    async putState(state, expiresAt) {
      if (at === 'before the put') die();
      const answer = await store.jobs.putState(state, expiresAt);
      return at === 'after the put' ? die() : answer;
    },
  };
}

describe('a process that dies', () => {
  it.each<[Death, number]>([
    ['before the exchange', 0],
    ['after the exchange', 1],
    ['before the put', 1],
    ['after the put', 0],
  ])('%s: no job is lost, and a turn may be, none is won', async (death, moved) => {
    const normal: string[] = [];
    for (let count = 0; count < 3; count += 1) normal.push(await accept('anna', 'normal'));
    await expect(accept('anna', 'high', { jobs: dying(death) })).rejects.toThrow('died');
    const waiting = await waitingOf('anna');
    const isPut = death === 'after the put';
    if (!isPut) expect(waiting).toEqual([...normal.slice(moved), ...normal.slice(0, moved)]);
    else expect(waiting.slice(1)).toEqual([...normal.slice(1), normal[0]]);
    // Each at the earliest where it would be without.
    const rows = await store.jobs.listWork('waiting', Infinity, undefined, 'anna');
    for (const [place, { workOrder: order }] of rows.entries())
      expect(readWorkOrder(order).startTag).toBeGreaterThanOrEqual(given.get('anna')![place]!);
    const next = await accept('anna', 'high');
    expect((await waitingOf('anna'))[isPut ? 1 : 0]).toBe(next);
  });

  it('is not what an answer is that was lost: the turn is taken', async () => {
    const first = await accept('anna', 'normal');
    const deaf: Jobs = { ...store.jobs, write: async (...args) => (await store.jobs.write(...args), false) };
    const high = await accept('anna', 'high', { jobs: deaf });
    expect(await waitingOf('anna')).toEqual([high, first]);
    expect(await turns('anna')).toEqual(given.get('anna'));
  });
});

describe('an exchange that is refused', () => {
  it('since the job was claimed or cancelled takes the next one’s turn', async () => {
    const [a, b, c, d] = [
      await accept('anna', 'normal'),
      await accept('anna', 'normal'),
      await accept('anna', 'normal'),
      await accept('anna', 'normal'),
    ];
    // As an index that lags shows it.
    const rows = await store.jobs.listWork('waiting', 10);
    await take(a);
    await store.jobs.write(b, cancel(NOW));
    const high = await accept('anna', 'high', { jobs: { ...store.jobs, listWork: async () => rows } });
    expect(await waitingOf('anna')).toEqual([high, d, c]);
    expect(await turns('anna')).toEqual(given.get('anna'));
  });

  it('again and again leaves the newest turn', async () => {
    const normal: string[] = [];
    for (let n = 0; n < 60; n += 1) normal.push(await accept('anna', 'normal'));
    const rows = await store.jobs.listWork('waiting', 100);
    for (const jobId of normal.slice(0, 52)) await take(jobId);
    const high = await accept('anna', 'high', { jobs: { ...store.jobs, listWork: async () => rows } });
    expect(await waitingOf('anna')).toEqual([...normal.slice(52), high]);
  });
});

it.each([1, 2, 3, 4])(
  'who accepts for one owner while hosts claim, run %i: none is lost or doubled, turns are exchanged alone',
  async () => {
    for (let n = 0; n < 8; n += 1) await accept('anna', n % 3 === 2 ? 'low' : 'normal');
    const rows = await store.jobs.listWork('waiting', 3);
    const [claimed] = await Promise.all([
      Promise.all([...rows, ...rows].map(({ jobId }) => take(jobId))),
      accept('anna', 'high'),
      accept('anna', 'high'),
      accept('anna', 'normal'),
      accept('anna', 'low'),
    ]);
    expect(claimed.filter(Boolean)).toHaveLength(rows.length);
    const taken = new Set(rows.map(({ jobId }) => jobId));
    const left = accepted.map(({ jobId }) => jobId).filter((jobId) => !taken.has(jobId));
    expect((await waitingOf('anna')).toSorted()).toEqual(left.toSorted());
    expect(await turns('anna')).toEqual(given.get('anna'));
  },
);

it('a job that a host had listed before it was moved does not raise the virtual time', async () => {
  for (const { jobId } of await store.jobs.listWork('held', Infinity))
    await store.jobs.write(jobId, cancel(NOW));
  const [a, b] = [await accept('anna', 'normal'), await accept('anna', 'normal')];
  await accept('anna', 'high');
  await take(a);
  expect(await store.jobs.maxStartTagInService()).toBeUndefined();
  await take(b);
  expect(await store.jobs.maxStartTagInService()).toBe((await store.jobs.readState(b))!.workOrder);
});
