// All of a deployment, minus AWS: the bundles under the real runtime client, and the GPU host's bundle, started by what
// the controller asks of Auto Scaling. What calls the functions: a table's stream where there is one, and the schedule.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FakeAutoScaling, GROUP, startFakeAutoScaling } from '../machines/fake-auto-scaling.ts';
import { recorded } from './function-url.ts';
import { type Machines, startMachines } from './machines.ts';
import type { Runtime } from './runtime-api.ts';
import { openStream, type Pump, startPump } from './stream-pump.ts';
import { type Deployment, type FunctionName, startDeployment } from './deployment.ts';

/** With a dot it is a part of a link's path, not of its host name: the embedded S3 knows paths. */
const BUCKET = 'images.deployed';

export interface WholeDeployment extends Deployment {
  group: FakeAutoScaling;
  machines: Machines;
  functions: Record<FunctionName, Runtime>;
  /** Of its own; it goes with the deployment. */
  folder: string;
  /** Of the table's stream, for the forwarder and the controller. */
  pumps: Pump[];
}

export interface Calls {
  /** DynamoDB Local, which has streams; else the embedded one. */
  streamsAt?: string;
  /** A minute of the schedule, ms; else nothing is scheduled. */
  everyMinute?: number;
}

/** @param environment of the api, beside what all are told */
export async function startWholeDeployment(
  { streamsAt, everyMinute }: Calls,
  environment: Record<string, string> = {},
): Promise<WholeDeployment> {
  const folder = await mkdtemp(join(tmpdir(), 'deployed-'));
  const deployment = await startDeployment(streamsAt, BUCKET);
  const group = await startFakeAutoScaling({ max: 2 });
  // Longer than anything between two jobs here.
  const machines = await startMachines(group, folder, { ...deployment.environment, IDLE_MINUTES: '0.3' });
  const functions = {
    api: await deployment.start('api', environment),
    forwarder: await deployment.start('forwarder'),
    controller: await deployment.start('controller', {
      AUTO_SCALING_GROUP: GROUP,
      AWS_ENDPOINT_URL_AUTO_SCALING: group.url,
    }),
    webhooks: await deployment.start('webhooks', { OWN_HOSTS: 'localhost' }),
  };
  let pumps: Pump[] = [];
  if (streamsAt !== undefined) {
    const arn = await openStream(deployment.behind.store, deployment.environment['TABLE_PREFIX']!);
    const accessKey = deployment.environment['AWS_ACCESS_KEY_ID']!;
    pumps = [functions.forwarder, functions.controller].map((runtime) =>
      startPump(streamsAt, accessKey, arn, runtime),
    );
  }
  const over = new AbortController();
  if (everyMinute !== undefined)
    for (const runtime of [functions.controller, functions.webhooks])
      void schedule(runtime, everyMinute, over.signal);
  return {
    ...deployment,
    group,
    machines,
    functions,
    folder,
    pumps,
    async close() {
      over.abort();
      await Promise.all(pumps.map((pump) => pump.stop()));
      await machines.close();
      await deployment.close();
      await group.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

async function schedule(runtime: Runtime, minute: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await runtime.invoke(recorded('schedule'), 60_000);
    await sleep(minute, undefined, { signal: over }).catch(() => undefined);
  }
}
