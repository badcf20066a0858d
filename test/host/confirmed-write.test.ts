// Certainty about a write: what settle decides when answers were lost, when others moved first, and when the table
// is away for a while.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as job from '../../functions/core/job.ts';
import { writeConfirmed, type Writer } from '../../functions/host/claims/confirmed-write.ts';
import { createLog } from '../../functions/log.ts';
import { createJobs } from '../../functions/store/jobs.ts';
import { jobsTable } from '../../functions/store/tables.ts';
import { BROKEN, FURTHER, HOST, IMAGE, NEXT_RUN, NOW, OTHER, STATES, STEPS } from '../core/job-states.ts';
import { type Line, tap } from '../store/lost-answers.ts';
import { startStore, type TestStore } from '../support/store.ts';

let store: TestStore;
let line: Line;
let writer: Writer;
let pauses: number[];
let lines: string[];

beforeAll(async () => {
  store = await startStore();
  line = tap(store.engine);
  writer = {
    jobs: createJobs(line.engine),
    log: createLog('host', 'debug', (text) => void lines.push(text)),
    pause(attempt) {
      pauses.push(attempt);
      return Promise.resolve();
    },
  };
});
afterAll(() => store.close());
beforeEach(() => {
  pauses = [];
  lines = [];
});

let made = 0;
async function put(state: job.JobState): Promise<job.JobState> {
  made += 1;
  const named = { ...state, jobId: `settle-${made}` };
  await store.engine.table(jobsTable).put({ ...named, part: 'state' });
  return named;
}

const fence: job.Fence = { attempt: 1, host: HOST };
/** Everything that a host writes within its fence, from a state in which it may. */
const OWN: [string, job.JobState, (state: job.JobState) => job.Change][] = [
  ['start', STATES.held, (state) => job.start(state, fence, NOW)],
  ['advance', STATES.processing, () => job.advance(fence, FURTHER, NOW)],
  ['touch', STATES.processing, () => job.touch(fence, NOW)],
  ['complete', STATES.processing, (state) => job.complete(state, fence, [IMAGE, IMAGE], STEPS, NOW)],
  ['complete at once', STATES.held, (state) => job.complete(state, fence, [IMAGE], STEPS, NOW)],
  ['fail', STATES.processing, (state) => job.fail(state, fence, BROKEN, NOW)],
  ['release', STATES.held, (state) => job.release(state, fence, NOW)],
  ['lose', STATES.processing, (state) => job.lose(state, fence, 'ComfyUI forgot it', NOW)],
  [
    'lose for the last time',
    { ...STATES.processing, lostAttempts: 2 },
    (state) => job.lose(state, fence, 'gone', NOW),
  ],
];

describe.each(OWN)('own %s', (_, before, changeOf) => {
  it('is written, when the table says so', async () => {
    const state = await put(before);
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('written');
    expect(pauses).toEqual([]);
  });

  it('is written, though its answer was lost and the repetition refused', async () => {
    const state = await put(before);
    line.lose(1);
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('written');
    expect(await store.jobs.readState(state.jobId)).toMatchObject({ ...job.apply(state, changeOf(state)) });
  });

  it('is gone, when the job was cancelled before it', async () => {
    const state = await put(before);
    await store.jobs.write(state.jobId, job.cancel(NOW));
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('gone');
    expect(await store.jobs.readState(state.jobId)).toMatchObject({ status: 'cancelled' });
  });

  it('is gone, when the next run of this machine has adopted the job', async () => {
    const state = await put(before);
    await store.jobs.write(state.jobId, job.adopt(state, NEXT_RUN));
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('gone');
    expect(await store.jobs.readState(state.jobId)).toMatchObject({ host: NEXT_RUN });
  });

  it('is gone, when another host has it at a later attempt', async () => {
    const state = await put(before);
    await store.jobs.write(state.jobId, job.sweep(state, 'it died', NOW));
    const waiting = (await store.jobs.readState(state.jobId))!;
    await store.jobs.write(state.jobId, job.claim(waiting, OTHER, NOW, false));
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('gone');
  });

  it('is gone, when this very run has it again at a later attempt', async () => {
    const state = await put(before);
    await store.jobs.write(state.jobId, job.sweep(state, 'it seemed dead', NOW));
    const waiting = (await store.jobs.readState(state.jobId))!;
    await store.jobs.write(state.jobId, job.claim(waiting, HOST, NOW, false));
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('gone');
  });

  it('is gone, when another host had it since and gave it back', async () => {
    const state = await put(before);
    await store.jobs.write(state.jobId, job.sweep(state, 'it died', NOW));
    const waiting = (await store.jobs.readState(state.jobId))!;
    await store.jobs.write(state.jobId, job.claim(waiting, OTHER, NOW, false));
    const theirs = { attempt: 2, host: OTHER };
    await store.jobs.write(state.jobId, job.release({ ...waiting, attempt: 2 }, theirs, NOW));
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('gone');
  });

  it('is gone, when the job was removed', async () => {
    const state = await put(before);
    await store.jobs.remove(state.jobId);
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('gone');
    expect(await store.jobs.readState(state.jobId)).toBeUndefined();
  });
});

describe('what does not fit, while this run holds the job still', () => {
  it.each([
    [
      'a release of what has started',
      STATES.processing,
      (state: job.JobState) => job.release(state, fence, NOW),
    ],
    ['a loss of what has not', STATES.held, (state: job.JobState) => job.lose(state, fence, 'gone', NOW)],
    [
      'progress that is behind',
      { ...STATES.processing, progress: 0.9 },
      () => job.advance(fence, FURTHER, NOW),
    ],
    ['a second start', STATES.processing, (state: job.JobState) => job.start(state, fence, NOW)],
  ])('%s is refused', async (_, before, changeOf) => {
    const state = await put(before);
    expect(await writeConfirmed(writer, state.jobId, changeOf(state), fence)).toBe('refused');
    expect(await store.jobs.readState(state.jobId)).toMatchObject({ ...state });
  });
});

describe('between the lost answer and the repetition', () => {
  it('a release that was taken up by another host is gone: it is that host that has the job', async () => {
    const state = await put(STATES.held);
    line.lose(1);
    line.meanwhile(async () => {
      const waiting = (await store.jobs.readState(state.jobId))!;
      await store.jobs.write(state.jobId, job.claim(waiting, OTHER, NOW, false));
    });
    expect(await writeConfirmed(writer, state.jobId, job.release(state, fence, NOW), fence)).toBe('gone');
    expect(await store.jobs.readState(state.jobId)).toMatchObject({ host: OTHER, attempt: 2 });
  });

  it('a start that was cancelled at once is gone', async () => {
    const state = await put(STATES.held);
    line.lose(1);
    line.meanwhile(() => store.jobs.write(state.jobId, job.cancel(NOW)));
    expect(await writeConfirmed(writer, state.jobId, job.start(state, fence, NOW), fence)).toBe('gone');
  });
});

it('an adoption whose answer was lost is written; one that came too late is gone', async () => {
  const state = await put(STATES.processing);
  const own = { attempt: 1, host: NEXT_RUN };
  line.lose(1);
  expect(await writeConfirmed(writer, state.jobId, job.adopt(state, NEXT_RUN), own)).toBe('written');
  const swept = await put(STATES.processing);
  await store.jobs.write(swept.jobId, job.sweep(swept, 'it died', NOW));
  expect(await writeConfirmed(writer, swept.jobId, job.adopt(swept, NEXT_RUN), own)).toBe('gone');
});

it('an own write is written, though every answer was lost until the table came back', async () => {
  const state = await put(STATES.held);
  line.lose(7);
  expect(await writeConfirmed(writer, state.jobId, job.start(state, fence, NOW), fence)).toBe('written');
  expect(pauses).toEqual([0]);
  expect(lines.join('')).toContain('socket hang up');
});

it('a table that is away is asked again and again, with ever later pauses', async () => {
  const state = await put(STATES.held);
  line.cut(15);
  expect(await writeConfirmed(writer, state.jobId, job.start(state, fence, NOW), fence)).toBe('written');
  expect(pauses).toEqual([0, 1, 2]);
});

it('outputs are the same whatever the order in which the table returns their fields', async () => {
  const state = await put(STATES.processing);
  const change = job.complete(state, fence, [IMAGE], STEPS, NOW);
  const reversed = Object.fromEntries(Object.entries(IMAGE).toReversed()) as unknown as job.JobOutput;
  await store.jobs.write(state.jobId, { ...change, set: { ...change.set, outputs: [reversed] } });
  expect(await writeConfirmed(writer, state.jobId, change, fence)).toBe('written');
});
