// Cancelled jobs in the operators' numbers: each once, whoever cancels it and however often, and counted when it is answered.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { hourOf } from '../../functions/core/ledger.ts';
import { sumOf } from '../../functions/core/ledger-sums.ts';
import { clearQueue } from '../../functions/queue/clear.ts';
import { countingCancelled } from '../../functions/queue/count-cancelled.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { anotherProcess, call, putJobs } from './support.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ forward: false });
});
afterEach(() => rig.close());

const waitingJobs = (count: number, owner = 'local') =>
  putJobs(
    rig,
    Array.from({ length: count }, () => ({ status: 'queued', owner, createdAt: rig.store.now() - 1000 })),
  );

async function counted(): Promise<number> {
  const rows = await rig.store.ledgers.readHour(hourOf(rig.store.now()));
  return sumOf(rows.flatMap(({ intervals }) => Object.values(intervals))).cancelled;
}

const cancelled = async (id: string, app = rig.app) => (await call(app, `DELETE /api/queue/${id}`)).status;

test('one that is cancelled is counted when it is answered, and once, by however many', async () => {
  const [id] = await waitingJobs(1);
  const other = anotherProcess(rig, {});
  const answers = await Promise.all([rig.app, other, rig.app, other].map((app) => cancelled(id!, app)));
  expect(answers).toEqual([200, 200, 200, 200]);
  expect(await counted()).toBe(1);
  expect(await cancelled(id!)).toBe(200);
  expect(await counted()).toBe(1);
  const { json } = await call(rig.app, 'GET /api/admin/hours?hours=1');
  const intervals = json['intervals'] as Record<string, number>[];
  expect(intervals.reduce((so, one) => so + one['cancelled']!, 0)).toBe(1);
  expect(intervals.reduce((so, one) => so + one['failed']! + one['completed']!, 0)).toBe(0);
  expect(await (await rig.app.request('/metrics')).text()).toMatch(
    /^comfyui_jobs_ended_total\{outcome="cancelled",code=""\} 1$/m,
  );
});

test('a queue that is cleared counts all of it by shared puts, one at a time, the controller’s part too', async () => {
  await waitingJobs(60);
  let puts = 0;
  let underway = 0;
  let most = 0;
  const ledger = rig.store.ledgers.of('counted');
  const jobs = countingCancelled(
    rig.store.jobs,
    {
      ...ledger,
      async write() {
        puts += 1;
        underway += 1;
        most = Math.max(most, underway);
        await ledger.write();
        underway -= 1;
      },
    },
    rig.log,
  );
  const until = String(rig.store.now() + 600_000);
  expect(await clearQueue({ jobs, now: rig.store.now }, { until })).toMatchObject({ cleared: 60 });
  expect(await counted()).toBe(60);
  // How many share one is the engine's pace: cancels that come while a put is underway.
  expect(most).toBe(1);
  expect(puts).toBeLessThan(60);
  await waitingJobs(5);
  expect((await call(rig.app, 'POST /api/queue/clear')).json).toMatchObject({ cleared: 5 });
  expect(await counted()).toBe(65);
  await waitingJobs(3);
  await rig.store.chores.add({ kind: 'clear', until });
  await rig.finishChores();
  expect(await counted()).toBe(68);
});

test('a ledger that cannot be put neither stops a cancel nor loses what it counted', async () => {
  const ids = await waitingJobs(2);
  let fails = true;
  const { ledgers } = rig.store;
  const app = anotherProcess(rig, {
    ledgers: {
      ...ledgers,
      of(writer) {
        const ledger = ledgers.of(writer);
        return { ...ledger, write: () => (fails ? Promise.reject(new Error('no answer')) : ledger.write()) };
      },
    },
  });
  expect(await cancelled(ids[0]!, app)).toBe(200);
  expect(await counted()).toBe(0);
  fails = false;
  expect(await cancelled(ids[1]!, app)).toBe(200);
  expect(await counted()).toBe(2);
});

test('a cancel whose answer got lost, or that was refused, counts nothing: never twice', async () => {
  const [id, ended] = [(await waitingJobs(1))[0]!, (await putJobs(rig, [{ status: 'completed' }]))[0]!];
  const { jobs } = rig.store;
  const app = anotherProcess(rig, {
    jobs: { ...jobs, write: async (...args) => (await jobs.write(...args)) && false },
  });
  expect(await cancelled(id, app)).toBe(200);
  expect(await cancelled(id)).toBe(200);
  await cancelled(ended);
  expect(await counted()).toBe(0);
});
