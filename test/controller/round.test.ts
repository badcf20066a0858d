// What a round puts as metrics: nothing while nothing happens, since each is charged by the hour in which it was put.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlRound } from '../../functions/controller/round.ts';
import { createSpreading } from '../../functions/controller/queue-spread.ts';
import { createWatch } from '../../functions/controller/watch.ts';
import { claim } from '../../functions/core/job.ts';
import { createMetrics } from '../../functions/metrics.ts';
import { type Rig, startRig } from '../support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ workflows: 'test/workflows', forward: false });
});
afterAll(() => rig.close());

test('a round without an event puts no metric; one that returns a job does', async () => {
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics('controller', 'test', Date.now, (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  const { jobs, hosts, chores, usage, now } = rig.store;
  const watch = createWatch(5000);
  const spreading = createSpreading({ ...rig.store, log: rig.log });
  const deps = {
    jobs,
    hosts,
    chores,
    usage,
    now,
    log: rig.log,
    watch,
    nudge: () => undefined,
    metrics,
    spreading,
    ledger: rig.store.ledgers.of('controller'),
  };
  const jobId = await rig.generate();
  await controlRound(deps);
  expect(lines).toEqual([]);
  const { state } = (await jobs.read(jobId))!;
  await jobs.write(jobId, claim(state, 'gone', now(), true));
  await controlRound(deps);
  expect(lines).toMatchObject([{ jobs_returned: 1, attempts_lost: 0, jobs_expired: 0 }]);
});
