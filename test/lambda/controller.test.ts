// The controller's bundle under the real runtime client, with the schedule's events and the stream's, before a small
// Auto Scaling.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeAutoScaling, GROUP, startFakeAutoScaling } from '../machines/fake-auto-scaling.ts';
import { recorded } from './function-url.ts';
import type { Runtime } from './runtime-api.ts';
import { startSilence } from './silent.ts';
import { POISON, putOrphan, putWaitingJob, recordOf } from './waiting-job.ts';
import { lacksRuntime, metricsOf, skipped, startDeployment, type Deployment } from './deployment.ts';

const DONE = { kind: 'value', value: { batchItemFailures: [] } };
const SCHEDULE = recorded('schedule');
/** What a round answers. */
const NOTHING = { kind: 'value', value: null };

describe.skipIf(lacksRuntime)(`the controller as a Lambda${skipped}`, () => {
  let deployment: Deployment;
  let group: FakeAutoScaling;
  let controller: Runtime;
  beforeAll(async () => {
    deployment = await startDeployment();
  });
  afterAll(() => deployment?.close());
  beforeEach(async () => {
    group = await startFakeAutoScaling({ max: 2 });
    controller = await start({});
  });
  afterEach(async () => {
    const { jobs } = deployment.behind;
    for (const { jobId } of await jobs.listWork('waiting', 100)) await jobs.remove(jobId);
    await group.close();
    await controller.close();
  });

  const start = (environment: Record<string, string>) =>
    deployment.start('controller', {
      AUTO_SCALING_GROUP: GROUP,
      AWS_ENDPOINT_URL_AUTO_SCALING: group.url,
      ...environment,
    });

  test('a round returns the job of a dead host to the queue, and wakes a host for it', async () => {
    const { jobId } = await putOrphan(deployment.behind);
    expect(await controller.invoke(SCHEDULE)).toEqual(NOTHING);
    const state = await deployment.behind.jobs.readState(jobId);
    expect(state).toMatchObject({ status: 'queued', work: 'waiting', attempt: 1, lostAttempts: 0 });
    expect(state).not.toHaveProperty('host');
    expect(group.calls).toContain('SetDesiredCapacity 1');
    await expect
      .poll(() => metricsOf(controller))
      .toContainEqual(
        expect.objectContaining({ service: 'controller', waiting: 1, hosts_ready: 0, hosts_wanted: 1 }),
      );
  });

  test('Auto Scaling that fails keeps no job with its dead host, and the round says so', async () => {
    const { jobId } = await putOrphan(deployment.behind);
    const cut = await start({ AWS_ENDPOINT_URL_AUTO_SCALING: 'http://127.0.0.1:1' });
    const answer = await cut.invoke(SCHEDULE);
    expect(answer).toMatchObject({
      kind: 'error',
      error: { errorMessage: expect.stringContaining('ECONNREFUSED') as string },
    });
    expect(await deployment.behind.jobs.readState(jobId)).toMatchObject({
      status: 'queued',
      work: 'waiting',
    });
  });

  test('an event of the stream looks at the number of hosts, and sweeps nothing', async () => {
    const { jobId } = await putOrphan(deployment.behind);
    const waiting = await putWaitingJob(deployment.behind);
    expect(await controller.invoke({ Records: [recordOf(waiting, '100')] })).toEqual(DONE);
    expect(await deployment.behind.jobs.readState(jobId)).toMatchObject({ work: 'held', host: 'gone' });
    await deployment.behind.jobs.remove(jobId);
  });

  test.each(POISON)('a record %s is skipped and counted', async (_, record) => {
    expect(await controller.invoke({ Records: [record] })).toEqual(DONE);
    await expect
      .poll(() => metricsOf(controller))
      .toContainEqual(expect.objectContaining({ records_skipped: 1 }));
    expect(group.calls).toEqual([]);
  });

  test('tables that are silent: the answer comes before Lambda would end the function', async () => {
    const silence = await startSilence();
    const deaf = await start({ AWS_ENDPOINT_URL_DYNAMODB: silence.url });
    await deaf.ready;
    const event = { Records: [recordOf({ jobId: 'a', attempt: 0, createdAt: 1 }, '301')] };
    const asked = performance.now();
    expect(await deaf.invoke(event, 4000)).toEqual({
      kind: 'value',
      value: { batchItemFailures: [{ itemIdentifier: '301' }] },
    });
    expect(performance.now() - asked).toBeLessThan(4000);
    await silence.close();
  });

  test('a request at this handler is an error that says so', async () => {
    expect(await controller.invoke(recorded('function-url-get'))).toMatchObject({
      kind: 'error',
      error: {
        errorMessage:
          'This handler takes batches of a DynamoDB stream, not an HTTP request; see what invokes it',
      },
    });
  });
});
