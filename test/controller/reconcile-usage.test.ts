// Owners' usage is brought up to date from the reservations: by two controllers at once, by one that dies on the way,
// and for jobs of every end.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcileUsage } from '../../functions/controller/reconcile-usage.ts';
import { dayOf, COMMITTED_AFTER } from '../../functions/core/quota.ts';
import { putJobs } from '../api/support.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ forward: false });
});
afterAll(() => rig.close());

const AT = Date.UTC(2026, 10, 23, 12);
const day = dayOf(AT);
const later = () => AT + COMMITTED_AFTER;

/** Reservations of two images each: jobs that made one, that failed, and that wait. */
async function reserved(owner: string, counts: { done: number; failed: number; waits: number }) {
  const cost = { costMicroUsd: 100, gpuMs: 50 };
  const ids = await putJobs(
    rig,
    [
      ...Array.from({ length: counts.done }, () => ({
        status: 'completed' as const,
        images: 1,
        state: cost,
      })),
      ...Array.from({ length: counts.failed }, () => ({ status: 'failed' as const, state: cost })),
      ...Array.from({ length: counts.waits }, () => ({ status: 'queued' as const })),
    ].map((job) => ({ ...job, owner, createdAt: AT })),
  );
  for (const jobId of ids)
    await rig.store.usage.reserve(owner, day, { jobId, images: 2, at: AT }, { uncommitted: 1000 });
}

const deps = (parts: Partial<Parameters<typeof reconcileUsage>[0]> = {}) => ({
  jobs: rig.store.jobs,
  usage: rig.store.usage,
  log: rig.log,
  now: later,
  ...parts,
});
const counted = (owner: string) => rig.store.usage.read(owner, day);

test('two controllers at once count every job once', async () => {
  await reserved('two', { done: 40, failed: 20, waits: 7 });
  await Promise.all([reconcileUsage(deps()), reconcileUsage(deps())]);
  // The refused controller reads again in its next round.
  await reconcileUsage(deps());
  expect(await counted('two')).toMatchObject({
    jobs: 60,
    images: 40,
    costMicroUsd: 6000,
    gpuMs: 3000,
    costed: 60,
    uncommitted: 7,
    taken: 40 + 7 * 2,
  });
});

test('one whose answer is lost, or that dies after any of its writes, is gone on with', async () => {
  await reserved('dies', { done: 60, failed: 0, waits: 0 });
  const { usage } = rig.store;
  for (let round = 0; round < 4; round += 1) {
    let commits = 0;
    const commit: typeof usage.commit = async (...args) => {
      const done = await usage.commit(...args);
      commits += 1;
      // The write was made, and its answer is lost.
      if (commits === 1) throw new Error('killed');
      return done;
    };
    await reconcileUsage(deps({ usage: { ...usage, commit } }));
  }
  expect(await counted('dies')).toMatchObject({
    jobs: 60,
    images: 60,
    uncommitted: 0,
    taken: 60,
    reservations: [],
  });
  expect((await usage.listOpen()).filter(({ owner }) => owner === 'dies')).toEqual([]);
});

test('a day that cannot be reconciled does not stop the others', async () => {
  await reserved('bad', { done: 1, failed: 0, waits: 0 });
  await reserved('good', { done: 1, failed: 0, waits: 0 });
  const { usage } = rig.store;
  const read: typeof usage.read = (owner, of) =>
    owner === 'bad' ? Promise.reject(new Error('throttled')) : usage.read(owner, of);
  await reconcileUsage(deps({ usage: { ...usage, read } }));
  expect((await counted('good')).jobs).toBe(1);
  expect((await counted('bad')).jobs).toBe(0);
});
