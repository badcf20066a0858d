// The table does to a job exactly what core says: the same Changes, in every state, with right and wrong pictures,
// are accepted or refused alike, and leave the same item and the same rows in the indexes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, hasEnded, type JobState, type Ran } from '../../functions/core/job.ts';
import { listOrder } from '../../functions/core/names.ts';
import type { Table } from '../../functions/store/engine.ts';
import { fieldsOf, itemOf } from '../../functions/store/job-item.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { HOST, KNOWLEDGE, NOW, STATES, type Verb, VERB_NAMES, VERBS } from '../core/job-states.ts';

let store: TestStore;
let table: Table;
beforeAll(async () => {
  store = await startStore();
  table = store.engine.table(jobsTable);
});
afterAll(() => store.close());

let made = 0;

async function put(state: JobState): Promise<JobState> {
  made += 1;
  const jobId = `job-${String(made).padStart(5, '0')}`;
  const ownerOrder = `${NOW}#${jobId}`;
  const named = {
    ...state,
    jobId,
    workOrder: `${NOW}-${made}`,
    ownerOrder,
    ...(state.listOrder !== undefined && { listOrder: listOrder(state.status as Ran, ownerOrder) }),
  };
  await table.put({ ...itemOf(named, 0), part: 'state' });
  return named;
}

async function stored(jobId: string): Promise<Record<string, unknown> | undefined> {
  const item = await table.read<object>({ jobId, part: 'state' });
  return item && fieldsOf(item);
}

async function rows(index: string, partition: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const page of table.pages({ index, partition })) found.push(...page);
  return found;
}

const byId = (a: { jobId?: unknown }, b: { jobId?: unknown }) => (String(a.jobId) < String(b.jobId) ? -1 : 1);

/** What the indexes should hold of these jobs, and nothing besides. */
async function expectIndexes(states: readonly JobState[]): Promise<void> {
  for (const work of ['waiting', 'held'] as const)
    expect((await rows('byWork', work)).sort(byId)).toEqual(
      states
        .filter((state) => state.work === work)
        .map(({ jobId, workOrder }) => ({ jobId, part: 'state', work, workOrder }))
        .sort(byId),
    );
  const [owner] = new Set(states.map((state) => state.owner));
  expect((await rows('byOwner', owner!)).sort(byId)).toEqual(
    states.map(({ jobId, ownerOrder }) => ({ jobId, part: 'state', owner, ownerOrder })).sort(byId),
  );
  expect((await rows('byList', owner!)).sort(byId)).toEqual(
    states
      .filter((state) => state.listOrder !== undefined)
      .map(({ jobId, listOrder }) => ({ jobId, part: 'state', owner, listOrder }))
      .sort(byId),
  );
}

/** Where one condition of a verb decides alone; the last three are such as no writer leaves. */
const ALL_STATES: Record<string, JobState> = {
  ...STATES,
  'processing, almost done': { ...STATES.processing, progress: 0.9 },
  'processing, heard of this moment': { ...STATES.processing, progressAt: NOW },
  'cancelled, accepted more than a day ago': {
    ...STATES.cancelled,
    createdAt: STATES['waiting for more than a day'].createdAt,
  },
  'cancelled, its GPU time written': { ...STATES.cancelled, attempt: 1, gpuMs: 5 },
  'completed, with a host': { ...STATES.completed, host: HOST, progressAt: NOW - 5000 },
  'held, with progress': { ...STATES.held, progressAt: NOW - 5000 },
};
const ALL_NAMES = Object.keys(ALL_STATES);

const BLIND: readonly Verb[] = ['cancel', 'clear', 'expire'];
/** From before it started, or after. */
const ofAnotherStatus = (of: JobState) =>
  KNOWLEDGE.right({ ...of, status: of.status === 'processing' ? 'queued' : 'processing' });
/** Which another job of its owner has by now. */
const ofAnotherTurn = (of: JobState) => KNOWLEDGE.right({ ...of, workOrder: `${NOW - 700_000}-00001` });
function ofNoGpuTime(job: JobState) {
  const { gpuMs: _gpuMs, ...of } = job;
  return KNOWLEDGE.right(of);
}
const PICTURES = [
  KNOWLEDGE.right,
  KNOWLEDGE['of a later attempt'],
  KNOWLEDGE['of another host'],
  ofAnotherStatus,
  ofAnotherTurn,
  ofNoGpuTime,
];

/** Whose change rests on no picture is right and wrong alike: core's tests say so. */
const picturesOf = (verb: Verb) => (BLIND.includes(verb) ? [KNOWLEDGE.right] : PICTURES);

describe('a write agrees with core', () => {
  const all: JobState[] = [];

  const cases = ALL_NAMES.flatMap((state) => VERB_NAMES.map((verb): [string, Verb] => [state, verb]));
  it.each(cases)('%s: %s', async (name, verb) => {
    for (const knowledge of picturesOf(verb)) {
      const before = await put(ALL_STATES[name]!);
      const change = VERBS[verb](knowledge(before));
      const after = apply(before, change);
      expect(await store.jobs.write(before.jobId, change)).toBe(after !== undefined);
      expect(await stored(before.jobId)).toEqual({ ...(after ?? before), part: 'state', v: 1 });
      all.push(after ?? before);
    }
  });

  it('afterwards the indexes hold exactly the jobs that wait or are held, and every job of the owner', async () => {
    expect(all).toHaveLength(made);
    expect(all.filter(hasEnded).length).toBeGreaterThan(90);
    await expectIndexes(all);
  });
});

/** Each verb with each field that its condition names (docs/architecture.md). */
const CONDITIONS = VERB_NAMES.flatMap((verb): [Verb, string][] => {
  const fields = ALL_NAMES.flatMap((name) =>
    VERBS[verb](KNOWLEDGE.right(ALL_STATES[name]!)).when.map(({ field }) => field),
  );
  return [...new Set(fields)].map((field) => [verb, field]);
});

it.each(CONDITIONS)(
  'the states above show an engine that writes %s without its condition on %s',
  (verb, field) => {
    const caught = ALL_NAMES.flatMap((name) =>
      picturesOf(verb).flatMap((knowledge) => {
        const before = ALL_STATES[name]!;
        const change = VERBS[verb](knowledge(before));
        const without = { ...change, when: change.when.filter((condition) => condition.field !== field) };
        return apply(before, change) === undefined && apply(before, without) !== undefined ? [name] : [];
      }),
    );
    expect(caught).not.toEqual([]);
  },
);

it.each(VERB_NAMES)('%s makes no job where there is none', async (verb) => {
  for (const state of [STATES.waiting, STATES.held, STATES.processing]) {
    expect(await store.jobs.write('no-such-job', VERBS[verb](KNOWLEDGE.right(state)))).toBe(false);
    expect(await stored('no-such-job')).toBeUndefined();
  }
});

it('a write keeps what it does not know of: schema version, expiry, fields of a later release', async () => {
  const extra = { v: 1, expiresAt: 1_900_000_000, ofALaterRelease: ['x'] };
  await table.put({ ...STATES.waiting, jobId: 'with-extra', part: 'state', ...extra });
  await store.jobs.write('with-extra', VERBS.claim(KNOWLEDGE.right(STATES.waiting)));
  expect(await stored('with-extra')).toMatchObject({ ...extra, attempt: 1 });
});
