// The deployed arrangement with a real DynamoDB stream (DynamoDB Local) between its functions; and the guide's Python client,
// unchanged, gets its image through CloudFront.

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { blockBelow } from '../contract/guide.ts';
import { templatesWith } from '../infra/synth.ts';
import { post, untilStatus } from '../runtime/deployment.ts';
import { startCommand } from '../support/program.ts';
import { type CloudFront, startCloudFront } from './cloudfront.ts';
import { type WholeDeployment, startWholeDeployment } from './whole-deployment.ts';
import { distributionOf } from './distribution.ts';
import { functionUrl } from './origin.ts';
import { lacksRuntime, metricsOf } from './deployment.ts';

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
const HOST = 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws';

describe.skipIf(lacks.length > 0)(
  `the deployed arrangement, minus AWS${lacks.length > 0 ? ` (skipped: no ${lacks.join(', no ')})` : ''}`,
  { timeout: 120_000 },
  () => {
    let deployment: WholeDeployment;
    let cloudFront: CloudFront;

    beforeAll(async () => {
      deployment = await startWholeDeployment({ streamsAt: inject('dynamodbUrl') });
      const { functions, environment } = deployment;
      const behind = {
        origin: functionUrl(functions.api, HOST),
        hostName: HOST,
        secret: environment['ORIGIN_SECRET']!,
        // The guide's clients, as they are written, send none.
        adds: { 'x-api-key': environment['API_KEY']! },
      };
      cloudFront = await startCloudFront(distributionOf(templatesWith().compute), behind, PORT);
    });
    afterAll(async () => {
      await cloudFront?.close();
      await deployment?.close();
    });

    test('the first job wakes a GPU host, which runs it', async () => {
      const { group } = deployment;
      expect(group.group.desired).toBe(0);
      const accepted = await post(cloudFront.url, { prompt: 'a red fox' });
      expect(accepted.status).toBe(202);
      const { job_id: jobId } = (await accepted.json()) as { job_id: string };
      const status = await untilStatus(cloudFront.url, jobId, 'completed');
      expect(status).toMatchObject({ attempts: 1, progress: 1, simulated: true });
      expect(group.calls).toEqual(['SetDesiredCapacity 1']);
      // On AWS a host says `info` too: one query by the job's id finds its whole way.
      await expect
        .poll(() => deployment.machines.output())
        .toContain(`"event":"job.completed","jobId":"${jobId}"`);
    });

    test.skipIf(lacksPython)(`the guide's Python client gets its image${lacksPython}`, async () => {
      const { folder } = deployment;
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
      const answer = await fetch(`${cloudFront.url}/api/image/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/png');
      const image = PNG.sync.read(Buffer.from(await answer.arrayBuffer()));
      expect([image.width, image.height]).toEqual([1024, 1024]);
    });

    test('a job for a host that is up is offered to it as soon as the stream tells of it', async () => {
      const { forwarder } = deployment.functions;
      const placed = () =>
        metricsOf(forwarder).reduce((sum, line) => sum + Number(line['offers_placed'] ?? 0), 0);
      // The host looks for itself every second, and may be first: then it is the next job's turn.
      for (let tries = 0; placed() === 0 && tries < 20; tries += 1) {
        const accepted = await post(cloudFront.url, { prompt: 'a red fox' });
        const { job_id: jobId } = (await accepted.json()) as { job_id: string };
        await untilStatus(cloudFront.url, jobId, 'completed');
      }
      await expect.poll(placed).toBeGreaterThan(0);
    });

    test('an idle host ends its machine, and nothing is left that costs', async () => {
      const { group } = deployment;
      await expect.poll(() => group.group.desired, { timeout: 60_000 }).toBe(0);
      await expect.poll(() => group.instances.size).toBe(0);
      expect(group.calls).toEqual(['SetDesiredCapacity 1', expect.stringMatching(/^Terminate i-/)]);
      const { hosts } = deployment.behind;
      await expect.poll(() => hosts.list()).toEqual([]);
    });

    test('no record was refused, and no batch repeated', () => {
      const { pumps, functions } = deployment;
      expect(pumps.map((pump) => pump.repeated())).toEqual([0, 0]);
      const skipped = [functions.forwarder, functions.controller].flatMap(metricsOf);
      expect(skipped.filter((line) => 'records_skipped' in line)).toEqual([]);
    });
  },
);
