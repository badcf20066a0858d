// The deployed arrangement, minus AWS: the three bundles under the real runtime client, a real DynamoDB stream (DynamoDB
// Local) between them, the GPU host's bundle started by what the controller asked of Auto Scaling; and the guide's
// Python client, unchanged, gets its image through it.

import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { blockBelow } from '../contract/guide.ts';
import { type FakeAutoScaling, GROUP, startFakeAutoScaling } from '../machines/fake-auto-scaling.ts';
import { post, untilStatus } from '../process/stage.ts';
import { startCommand } from '../support/program.ts';
import { startFrontDoor } from './front-door.ts';
import { type Machines, startMachines } from './machines.ts';
import type { Runtime } from './runtime-api.ts';
import { openStream, type Pump, startPump } from './stream-pump.ts';
import { lacksRuntime, metricsOf, startWorld, type World } from './world.ts';

const lacks = [
  lacksRuntime && `aws-lambda-ric: ${lacksRuntime}`,
  inject('dynamodbUrl') === '' && 'DynamoDB Local: set DYNAMODB_LOCAL to its folder',
].filter(Boolean);
const lacksPython = (() => {
  try {
    execFileSync('python3', ['-c', 'import requests'], { stdio: 'ignore' });
    return '';
  } catch {
    return ' (skipped: this machine has no python3 with requests)';
  }
})();
/** The guide's clients name it. */
const PORT = 5000;

describe.skipIf(lacks.length > 0)(
  `the deployed arrangement, minus AWS${lacks.length > 0 ? ` (skipped: no ${lacks.join(', no ')})` : ''}`,
  { timeout: 120_000 },
  () => {
    let world: World;
    let group: FakeAutoScaling;
    let machines: Machines;
    let door: Awaited<ReturnType<typeof startFrontDoor>>;
    let pumps: Pump[] = [];
    let functions: Record<'api' | 'forwarder' | 'controller', Runtime>;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'deployed-'));
      const dynamodbUrl = inject('dynamodbUrl');
      world = await startWorld(dynamodbUrl);
      group = await startFakeAutoScaling({ max: 2 });
      machines = await startMachines(group, folder, {
        ...world.environment,
        // Longer than anything between two jobs here.
        IDLE_MINUTES: '0.3',
      });
      functions = {
        api: await world.start('api'),
        forwarder: await world.start('forwarder'),
        controller: await world.start('controller', {
          AUTO_SCALING_GROUP: GROUP,
          AWS_ENDPOINT_URL_AUTO_SCALING: group.url,
        }),
      };
      const arn = await openStream(world.behind.store, world.environment['TABLE_PREFIX']!);
      const accessKey = world.environment['AWS_ACCESS_KEY_ID']!;
      pumps = [functions.forwarder, functions.controller].map((runtime) =>
        startPump(dynamodbUrl, accessKey, arn, runtime),
      );
      door = await startFrontDoor(functions.api, PORT);
    });
    afterAll(async () => {
      await door?.close();
      await Promise.all(pumps.map((pump) => pump.stop()));
      await machines?.close();
      await world?.close();
      await group?.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    });

    test('the first job wakes a GPU host, which runs it', async () => {
      expect(group.group.desired).toBe(0);
      const accepted = await post(door.url, { prompt: 'a red fox' });
      expect(accepted.status).toBe(202);
      const { job_id: jobId } = (await accepted.json()) as { job_id: string };
      const status = await untilStatus(door.url, jobId, 'completed');
      expect(status).toMatchObject({ attempts: 1, progress: 1, simulated: true });
      expect(group.calls).toEqual(['SetDesiredCapacity 1']);
    });

    test.skipIf(lacksPython)(`the guide's Python client gets its image${lacksPython}`, async () => {
      await writeFile(join(folder, 'client.py'), blockBelow('Python Client Example', 'python'));
      const client = startCommand(
        'python3',
        [join(folder, 'client.py')],
        process.env as Record<string, string>,
        folder,
      );
      const code = await client.ended;
      expect([code, client.output()]).toEqual([0, expect.stringContaining('Completed: ')]);
      const [, name] = /Completed: (\S+)/.exec(client.output()) ?? [];
      expect(name).toMatch(/^Flux2_Turbo_[0-9a-f]{32}_00001_\.png$/);
      const answer = await fetch(`${door.url}/api/image/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/png');
      const image = PNG.sync.read(Buffer.from(await answer.arrayBuffer()));
      expect([image.width, image.height]).toEqual([1024, 1024]);
    });

    test('a job for a host that is up is offered to it as soon as the stream tells of it', async () => {
      const placed = () =>
        metricsOf(functions.forwarder).reduce((sum, line) => sum + Number(line['offers_placed'] ?? 0), 0);
      // The host looks for itself every second, and may be first: then it is the next job's turn.
      for (let tries = 0; placed() === 0 && tries < 20; tries += 1) {
        const accepted = await post(door.url, { prompt: 'a red fox' });
        const { job_id: jobId } = (await accepted.json()) as { job_id: string };
        await untilStatus(door.url, jobId, 'completed');
      }
      await expect.poll(placed).toBeGreaterThan(0);
    });

    test('an idle host ends its machine, and nothing is left that costs', async () => {
      await expect.poll(() => group.group.desired, { timeout: 60_000 }).toBe(0);
      await expect.poll(() => group.instances.size).toBe(0);
      expect(group.calls).toEqual(['SetDesiredCapacity 1', expect.stringMatching(/^Terminate i-/)]);
      const { hosts } = world.behind;
      await expect.poll(() => hosts.list()).toEqual([]);
    });

    test('no record was refused, and no batch repeated', () => {
      expect(pumps.map((pump) => pump.repeated())).toEqual([0, 0]);
      const skipped = [functions.forwarder, functions.controller].flatMap(metricsOf);
      expect(skipped.filter((line) => 'records_skipped' in line)).toEqual([]);
    });
  },
);
