// One job, two machines (one of which restarts), an api and a controller, in any order: after each step the table is
// what core says it is. Everybody acts on the picture that they read last, which may be old.

import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as job from '../../functions/core/job.ts';
import { startStore, type TestStore } from '../support/store.ts';
import { BROKEN, HOST, IMAGE, NEXT_RUN, NOW, OTHER, STATES, STEPS } from '../core/job-states.ts';

let store: TestStore;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

type Actor = typeof HOST | typeof NEXT_RUN | typeof OTHER | 'controller';

interface Model {
  state: job.JobState;
  over: boolean;
  now: number;
  /** What each actor read last. */
  pictures: Record<Actor, job.JobState>;
}
interface Real {
  jobId: string;
}
type Command = fc.AsyncCommand<Model, Real>;

const tried = { written: new Set<string>(), refused: new Set<string>() };

function reads(actor: Actor): Command {
  return {
    check: (model) => !model.over && model.pictures[actor] !== model.state,
    async run(model, { jobId }) {
      expect(await store.jobs.readState(jobId)).toEqual({
        ...model.state,
        part: 'state',
        v: 1,
        expiresAt: 1,
      });
      model.pictures[actor] = model.state;
    },
    toString: () => `${actor} reads`,
  };
}

function passes(milliseconds: number): Command {
  return {
    check: () => true,
    run(model) {
      model.now += milliseconds;
      return Promise.resolve();
    },
    toString: () => `${milliseconds / 1000} s pass`,
  };
}

function writes(actor: Actor | 'api', changeOf: (model: Readonly<Model>) => job.Change): Command {
  let verb = '';
  return {
    // Nobody tries what does not fit the picture that they have.
    check: (model) =>
      !model.over &&
      job.apply(actor === 'api' ? model.state : model.pictures[actor], changeOf(model)) !== undefined,
    async run(model, { jobId }) {
      const change = changeOf(model);
      ({ verb } = change);
      const expected = job.apply(model.state, change);
      expect(await store.jobs.write(jobId, change)).toBe(expected !== undefined);
      tried[expected ? 'written' : 'refused'].add(verb);
      // One refusal after the end is enough.
      model.over = job.hasEnded(model.state);
      model.state = expected ?? model.state;
      // Who was told that its own write was made knows the job.
      if (expected && actor !== 'api') model.pictures[actor] = expected;
      expect(await store.jobs.readState(jobId)).toEqual({
        ...model.state,
        part: 'state',
        v: 1,
        expiresAt: 1,
      });
      if (!expected) return;
      const listed = {
        waiting: await store.jobs.listWork('waiting', 9),
        held: await store.jobs.listWork('held', 9),
      };
      for (const work of ['waiting', 'held'] as const)
        expect(listed[work].map((row) => row.jobId)).toEqual(expected.work === work ? [jobId] : []);
    },
    toString: () => `${actor}: ${verb}`,
  };
}

type HostVerb = 'claim' | 'adopt' | 'start' | 'advance' | 'touch' | 'complete' | 'fail' | 'release' | 'lose';

function hostWrites(host: Exclude<Actor, 'controller'>, verb: HostVerb): Command {
  const changeOf = ({ pictures, now }: Readonly<Model>): job.Change => {
    const picture = pictures[host];
    const fence = { attempt: picture.attempt, host };
    const further = { progress: Math.min(0.9999, picture.progress + 0.2), currentStep: 5, totalSteps: 25 };
    switch (verb) {
      case 'claim':
        return job.claim(picture, host, now, false);
      case 'adopt':
        return job.adopt(picture, host);
      case 'start':
        return job.start(picture, fence, now);
      case 'advance':
        return job.advance(fence, further, now);
      case 'touch':
        return job.touch(fence, now);
      case 'complete':
        return job.complete(picture, fence, [IMAGE], STEPS, now);
      case 'fail':
        return job.fail(picture, fence, BROKEN, now);
      case 'release':
        return job.release(picture, fence, now);
      default:
        return job.lose(picture, fence, 'ComfyUI forgot it', now);
    }
  };
  return writes(host, changeOf);
}

const host = fc.constantFrom(HOST, NEXT_RUN, OTHER);
const by = (verb: HostVerb) => host.map((who) => hostWrites(who, verb));
const byApi = (verb: (now: number) => job.Change) =>
  fc.constant(verb).map((change) => writes('api', ({ now }) => change(now)));
const byExpiry = fc
  .constant(job.expire)
  .map((change) => writes('controller', ({ pictures, now }) => change(pictures.controller, now)));
const byController = (verb: typeof job.sweep) =>
  fc
    .constant(verb)
    .map((change) =>
      writes('controller', ({ pictures, now }) => change(pictures.controller, 'it died', now)),
    );
const step = fc.oneof(
  { weight: 10, arbitrary: by('claim') },
  { weight: 10, arbitrary: by('start') },
  { weight: 4, arbitrary: by('advance') },
  { weight: 2, arbitrary: by('touch') },
  { weight: 4, arbitrary: by('lose') },
  { weight: 4, arbitrary: by('release') },
  { weight: 4, arbitrary: fc.constant(NEXT_RUN).map((who) => hostWrites(who, 'adopt')) },
  { weight: 1, arbitrary: by('complete') },
  { weight: 1, arbitrary: by('fail') },
  { weight: 8, arbitrary: byController(job.sweep) },
  { weight: 4, arbitrary: byController(job.reclaimStalled) },
  { weight: 30, arbitrary: fc.constantFrom(HOST, NEXT_RUN, OTHER, 'controller' as const).map(reads) },
  {
    weight: 2,
    arbitrary: fc.oneof(byApi(job.cancel), byApi(job.clear), byExpiry, byExpiry),
  },
  { weight: 4, arbitrary: fc.constantFrom(1000, 60_000, 700_000).map(passes) },
  { weight: 1, arbitrary: fc.constant(25 * 3_600_000).map(passes) },
);
const commands = fc.commands([step], { maxCommands: 80, size: 'max' });

it('the table is what core says, whoever does what in whichever order', { timeout: 300_000 }, async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(commands, async (taken) => {
      runs += 1;
      const state = { ...STATES.waiting, jobId: `run-${runs}`, workOrder: `${NOW}-${runs}` };
      expect(await store.jobs.putState(state, 1)).toBe(true);
      const pictures = { [HOST]: state, [NEXT_RUN]: state, [OTHER]: state, controller: state };
      await fc.asyncModelRun(
        () => ({ model: { state, over: false, now: NOW, pictures }, real: { jobId: state.jobId } }),
        taken,
      );
      await store.jobs.remove(state.jobId);
    }),
    { seed: 5, numRuns: 120 },
  );
  // Worth something only if everything was tried, and most of it also in vain.
  expect(tried.written.size).toBe(14);
  expect(tried.refused.size).toBeGreaterThan(5);
});
