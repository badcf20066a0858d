// The bundle of the webhooks under the real runtime client, with the schedule's events.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancel } from '../../functions/core/job.ts';
import { jobIdFrom, ownerOrder, workOrder } from '../../functions/core/names.ts';
import { recorded } from './function-url.ts';
import type { Runtime } from './runtime-api.ts';
import { lacksRuntime, metricsOf, skipped, startDeployment, type Deployment } from './deployment.ts';

describe.skipIf(lacksRuntime)(`webhooks as a Lambda${skipped}`, () => {
  let deployment: Deployment;
  let webhooks: Runtime;
  beforeAll(async () => {
    deployment = await startDeployment();
    webhooks = await deployment.start('webhooks', { OWN_HOSTS: 'api.example.com' });
  });
  afterAll(() => deployment?.close());

  async function endedWith(webhookUrl: string): Promise<string> {
    const { jobs, now } = deployment.behind;
    const jobId = jobIdFrom({ random: randomBytes(16) });
    const at = now();
    const common = { jobId, owner: 'alice' };
    await jobs.putRequest(
      { ...common, workflow: 'w', inputs: {}, notes: [], bodyHash: '', staging: [], webhookUrl },
      Math.ceil(at / 1000) + 3600,
    );
    await jobs.putState(
      {
        ...common,
        status: 'queued',
        attempt: 0,
        lostAttempts: 0,
        work: 'waiting',
        workOrder: workOrder(at, 0, jobId, 'alice'),
        ownerOrder: ownerOrder(at, jobId),
        createdAt: at,
        progress: 0,
        currentStep: 0,
        totalSteps: 0,
        webhook: 'pending',
      },
      Math.ceil(at / 1000) + 3600,
    );
    await jobs.write(jobId, cancel(now()));
    return jobId;
  }

  test('a minute with nothing to do is over at once, and measures nothing', async () => {
    const asked = performance.now();
    expect(await webhooks.invoke(recorded('schedule'), 60_000)).toEqual({ kind: 'value', value: null });
    expect(performance.now() - asked).toBeLessThan(5000);
    expect(metricsOf(webhooks)).toEqual([]);
  });

  test('the metadata, the runtime beside it and this service itself are never called', async () => {
    const urls = [
      'https://169.254.169.254/latest/meta-data/',
      'https://127.0.0.1:9001/2018-06-01/runtime/invocation/next',
      'https://[fd00:ec2::254]/',
      'https://api.example.com/api/generate',
    ];
    for (const url of urls) await endedWith(url);
    // Busy, it goes on as long as it may: it is given little.
    expect(await webhooks.invoke(recorded('schedule'), 11_000)).toEqual({ kind: 'value', value: null });
    const { items } = await deployment.behind.deliveries.listOwner('alice', 10);
    const refusals = new Map(items.map(({ url, lastError }) => [url, lastError]));
    expect(refusals).toEqual(
      new Map(
        urls.map((url) => [
          url,
          url.includes('example.com')
            ? 'this is an address of the service itself'
            : 'the address is not a public one',
        ]),
      ),
    );
    await expect
      .poll(() => metricsOf(webhooks))
      .toContainEqual(expect.objectContaining({ service: 'webhooks', webhooks_failed: 1 }));
  });

  test('a request at this handler is an error that says so', async () => {
    expect(await webhooks.invoke(recorded('function-url-get'))).toMatchObject({
      kind: 'error',
      error: {
        errorMessage: 'This handler takes events of a schedule, not an HTTP request; see what invokes it',
      },
    });
  });
});
