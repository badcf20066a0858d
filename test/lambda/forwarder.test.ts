// The forwarder's bundle under the real runtime client, with batches as the jobs table's stream sends them.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { listen, type Listening } from '../../functions/runtime/listen.ts';
import { hostItem } from '../support/host-item.ts';
import { recorded } from './function-url.ts';
import type { Runtime } from './runtime-api.ts';
import { startSilence } from './silent.ts';
import { POISON, putWaitingJob, recordOf, type StreamEvent } from './waiting-job.ts';
import { lacksRuntime, metricsOf, skipped, startDeployment, type Deployment } from './deployment.ts';

const DONE = { kind: 'value', value: { batchItemFailures: [] } };

describe.skipIf(lacksRuntime)(`the forwarder as a Lambda${skipped}`, () => {
  let deployment: Deployment;
  let forwarder: Runtime;
  let intake: Listening;
  let offered: string[] = [];
  beforeAll(async () => {
    deployment = await startDeployment();
    forwarder = await deployment.start('forwarder');
    await forwarder.ready;
    intake = await listen(
      (req, res) => {
        let body = '';
        req.on('data', (chunk: Buffer) => (body += chunk.toString()));
        req.on('end', () => {
          offered.push((JSON.parse(body) as { jobId: string }).jobId);
          res.writeHead(202).end();
        });
      },
      '127.0.0.1',
      0,
    );
    const { hosts, now } = deployment.behind;
    await hosts.putIntake('host', 'secret', now());
    await hosts.put(hostItem('host', now(), { url: `http://127.0.0.1:${intake.port}`, slots: 9 }));
  });
  afterAll(async () => {
    await intake?.close();
    await deployment?.close();
  });
  afterEach(async () => {
    offered = [];
    const { jobs } = deployment.behind;
    for (const { jobId } of await jobs.listWork('waiting', 100)) await jobs.remove(jobId);
  });

  const invoke = (Records: StreamEvent['Records'], timeout?: number) =>
    forwarder.invoke({ Records }, timeout);
  /** What it measured from here on. */
  function measuring(): () => Record<string, unknown>[] {
    const before = metricsOf(forwarder).length;
    return () => metricsOf(forwarder).slice(before);
  }

  test('a batch as it was recorded is one look: every job that waits is offered once', async () => {
    const one = await putWaitingJob(deployment.behind);
    const other = await putWaitingJob(deployment.behind);
    const measured = measuring();
    expect(await invoke([recordOf(one, '100'), recordOf(other, '101')])).toEqual(DONE);
    expect(offered.toSorted()).toEqual([one.jobId, other.jobId].toSorted());
    await expect
      .poll(measured)
      .toEqual([expect.objectContaining({ service: 'forwarder', offers_placed: 2, offers_left: 0 })]);
    const [{ forwarding_time: time }] = measured() as [{ forwarding_time: number }];
    expect(time).toBeGreaterThanOrEqual(0);
    expect(time).toBeLessThan(10_000);
  });

  test('the record of AWS’s own shape is read', async () => {
    expect(await forwarder.invoke(recorded('stream'))).toEqual(DONE);
  });

  test('a job that waits again says nothing about the way to here', async () => {
    const measured = measuring();
    await invoke([
      recordOf({ ...(await putWaitingJob(deployment.behind)), attempt: 1, createdAt: 1 }, '100'),
    ]);
    await expect.poll(measured).toHaveLength(1);
    expect(measured()[0]).not.toHaveProperty('forwarding_time');
  });

  test.each(POISON)('a record %s is skipped, logged by its number and counted', async (_, record, number) => {
    const job = await putWaitingJob(deployment.behind);
    const measured = measuring();
    const before = forwarder.program.output().length;
    expect(await invoke([record])).toEqual(DONE);
    await expect.poll(measured).toEqual([expect.objectContaining({ records_skipped: 1 })]);
    expect(offered).toEqual([]);
    const skipping = () =>
      forwarder.program
        .output()
        .slice(before)
        .split('\n')
        .filter((line) => line.includes('"record.skipped"'))
        .map((line) => JSON.parse(line) as unknown);
    const line = expect.objectContaining({ level: 'warn', sequenceNumber: number }) as unknown;
    await expect.poll(skipping).toEqual([line]);
    // Nor does it hold up what comes after it.
    expect(await invoke([recordOf(job, '201')])).toEqual(DONE);
    expect(offered).toEqual([job.jobId]);
  });

  test('poison among good records costs them nothing', async () => {
    const job = await putWaitingJob(deployment.behind);
    const measured = measuring();
    const poison = POISON.map(([, record]) => record);
    expect(await invoke([...poison, recordOf(job, '300'), ...poison])).toEqual(DONE);
    expect(offered).toEqual([job.jobId]);
    await expect.poll(measured).toMatchObject([{ records_skipped: 2 * POISON.length }, { offers_placed: 1 }]);
  });

  test('an empty batch is done', async () => {
    const measured = measuring();
    expect(await invoke([])).toEqual(DONE);
    await expect.poll(measured).toEqual([]);
  });

  test('a host that does not answer leaves the job where it is, and fails no record', async () => {
    const { hosts, now } = deployment.behind;
    const silence = await startSilence();
    await hosts.putIntake('host', 'secret', now());
    await hosts.put(hostItem('host', now(), { url: silence.url, slots: 9 }));
    const measured = measuring();
    expect(await invoke([recordOf(await putWaitingJob(deployment.behind), '100')])).toEqual(DONE);
    await expect.poll(measured).toMatchObject([{ offers_placed: 0, offers_left: 1 }]);
    await hosts.putIntake('host', 'secret', now());
    await hosts.put(hostItem('host', now(), { url: `http://127.0.0.1:${intake.port}`, slots: 9 }));
    await silence.close();
  });

  test('tables that refuse: the batch comes again from its first readable record', async () => {
    const cut = await deployment.start('forwarder', { AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:1' });
    const later = POISON[0]![1];
    const job = { jobId: 'a', attempt: 0, createdAt: 1 };
    expect(await cut.invoke({ Records: [later, recordOf(job, '301'), recordOf(job, '302')] })).toEqual({
      kind: 'value',
      value: { batchItemFailures: [{ itemIdentifier: '301' }] },
    });
    await cut.program.until(/batch\.failed/);
    // Nothing to look at: nothing to repeat.
    expect(await cut.invoke({ Records: [later] })).toEqual(DONE);
  });

  test('tables that are silent: the answer comes before Lambda would end the function', async () => {
    const silence = await startSilence();
    const deaf = await deployment.start('forwarder', { AWS_ENDPOINT_URL_DYNAMODB: silence.url });
    await deaf.ready;
    const asked = performance.now();
    const answer = await deaf.invoke(
      { Records: [recordOf({ jobId: 'a', attempt: 0, createdAt: 1 }, '301')] },
      4000,
    );
    expect(performance.now() - asked).toBeLessThan(4000);
    expect(answer).toEqual({ kind: 'value', value: { batchItemFailures: [{ itemIdentifier: '301' }] } });
    await silence.close();
  });

  test.each([
    ['a schedule', recorded('schedule'), 'an event of aws.events'],
    ['a request', recorded('function-url-get'), 'an HTTP request'],
    ['messages', { Records: [{ eventSource: 'aws:sqs', body: '{}' }] }, 'records of aws:sqs'],
  ])('%s at this handler is an error that says so', async (_, event, what) => {
    const answer = await forwarder.invoke(event);
    expect(answer).toMatchObject({
      kind: 'error',
      error: {
        errorMessage: expect.stringContaining(`DynamoDB stream, not ${what}`) as string,
      },
    });
  });
});
