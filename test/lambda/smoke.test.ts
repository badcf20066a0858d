// `npm run smoke` against the deployment behind an endpoint as AWS's: CloudFront as the synthesised template has
// it, and the Function URL as other people have met it; and by that URL alone, as `endpoint: function-url` deploys it.

import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAsk } from '../../functions/cli/smoke/ask.ts';
import { errorChecks } from '../../functions/cli/smoke/errors.ts';
import { plainChecks } from '../../functions/cli/smoke/plain.ts';
import { runLanes } from '../../functions/cli/smoke/run.ts';
import { drawKey } from '../../functions/core/access.ts';
import { templatesWith } from '../infra/synth.ts';
import { startProgram } from '../support/program.ts';
import { type CloudFront, startCloudFront } from './cloudfront.ts';
import { type WholeDeployment, startWholeDeployment } from './whole-deployment.ts';
import { serve } from './direct.ts';
import { type Distribution, distributionOf } from './distribution.ts';
import { functionUrl, type Origin } from './origin.ts';
import { lacksRuntime, skipped } from './deployment.ts';

const HOST = 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws';

describe.skipIf(lacksRuntime)(`smoke, through CloudFront${skipped}`, { timeout: 90_000 }, () => {
  let deployment: WholeDeployment;
  let distribution: Distribution;
  let origin: Origin;
  const closing: Pick<CloudFront, 'close'>[] = [];
  beforeAll(async () => {
    deployment = await startWholeDeployment({ everyMinute: 500 });
    origin = functionUrl(deployment.functions.api, HOST);
    distribution = distributionOf(templatesWith().compute);
  }, 120_000);
  afterAll(async () => {
    await Promise.all(closing.map((cloudFront) => cloudFront.close()));
    await deployment?.close();
  });

  async function open(to: Origin, as: Distribution): Promise<CloudFront> {
    const secret = deployment.environment['ORIGIN_SECRET']!;
    const cloudFront = await startCloudFront(as, { origin: to, hostName: HOST, secret });
    closing.push(cloudFront);
    return cloudFront;
  }

  async function keyOf(owner: string): Promise<string> {
    const { key, keyId, hash } = drawKey(randomBytes);
    const { keys, now } = deployment.behind;
    await keys.add({ keyId, hash, name: owner, owner, scopes: ['generate', 'read'], createdAt: now() });
    return key;
  }

  /** The address, with nothing before it, of an api that is told what the template says without CloudFront. */
  async function bare(): Promise<string> {
    const { compute } = templatesWith({ endpoint: 'function-url' });
    expect(compute.findResources('AWS::CloudFront::Distribution')).toEqual({});
    const [ORIGIN_SECRET] = Object.values(compute.findResources('AWS::Lambda::Function')).flatMap(
      ({ Properties }) => (Properties as Deployed).Environment?.Variables['ORIGIN_SECRET'] ?? [],
    );
    const api = await deployment.start('api', { ORIGIN_SECRET: ORIGIN_SECRET as string });
    const direct = await serve(functionUrl(api, HOST), HOST);
    closing.push(direct);
    return direct.url;
  }

  test.each([
    ['through CloudFront', async () => (await open(origin, distribution)).url],
    ['by the Function URL alone', bare],
  ])('%s every line is ok, and nothing is left', async (_, address) => {
    const url = await address();
    const keys = ['--key', await keyOf('alice'), '--other-key', await keyOf('bob')];
    const program = startProgram(
      'smoke',
      {
        NODE_OPTIONS: `--import ${join(import.meta.dirname, 'at-bucket.mjs')}`,
        BUCKET_AT: deployment.storage.s3Endpoint,
      },
      ['--url', url, ...keys, '--minutes', '1'],
    );
    const code = await program.ended;
    const lines = program.output().split('\n');
    expect(lines.filter((line) => /^(next|–) /.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith('ok '))).toHaveLength(18);
    expect([code, program.stderr()]).toEqual([0, '']);
    const { jobs, images } = deployment.behind;
    expect(await jobs.listWork('waiting', 10)).toEqual([]);
    const left: string[] = [];
    for await (const { key } of images.list('')) left.push(key);
    expect(left.filter((key) => /^(images|uploads|graphs)\//.test(key))).toEqual([]);
  });

  /** As the api and the template were before anybody had read how these two behave. */
  function former(): [Origin, Distribution] {
    const answers: Origin = async (request) => {
      const tag = request.headers['if-none-match'];
      const asked = { ...request.headers, ...(tag && { 'if-none-match': tag.replace('-gz"', '"') }) };
      const { status, headers, body } = await origin({ ...request, headers: asked });
      const { 'cache-control': control, etag, ...others } = headers;
      const zipped = etag !== undefined && request.headers['accept-encoding']?.includes('gzip');
      return {
        status,
        headers: {
          ...others,
          ...(control !== undefined && status < 400 && { 'cache-control': control }),
          ...(etag !== undefined && { etag: zipped ? etag.replace(/"$/, '-gz"') : etag }),
        },
        body: withoutByte(body),
      };
    };
    return [answers, { ...distribution, errorTtl: new Map(), viewerRequest: undefined }];
  }

  test('what an account would show is found, each by its line', async () => {
    const { url } = await open(...former());
    const key = await keyOf('carol');
    const stopped = new AbortController().signal;
    const smoke = {
      url,
      key,
      otherKey: await keyOf('dave'),
      ask: createAsk(url, key, stopped, { atMost: 1500 }),
      webhookUrl: undefined,
      made: { jobs: new Set<string>(), uploads: new Set<string>() },
      until: Date.now() + 30_000,
      stopped,
    };
    const inputs = { workflow: 'flux2_turbo_default', prompt: `a red fox ${randomUUID()}` };
    const checks = [...plainChecks(smoke), ...errorChecks(smoke, () => Promise.resolve(inputs))];
    const found = await runLanes([{ checks }], () => Promise.resolve());
    expect(Object.fromEntries(found.map(({ name, finding }) => [name, finding.kind]))).toEqual({
      preflight: 'next',
      head: 'next',
      'not modified': 'next',
      compressed: 'next',
      'not found': 'ok',
      'second answer': 'next',
      'other owners': 'next',
      cancel: 'ok',
    });
    const said = found.map(({ finding }) => finding.says).join('\n');
    expect(said).toContain('OPTIONS /api/generate: no whole answer within 1.5 s');
    expect(said).toContain('is still answered 404, from a cache on the way');
  });
});

interface Deployed {
  Environment?: { Variables: Record<string, unknown> };
}

/** A line break, which is written so that an answer ends, is nothing; and nothing has no end. */
async function* withoutByte(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let ends = true;
  for await (const chunk of body) {
    if (chunk.toString() === '\n') ends = false;
    else yield chunk;
  }
  if (!ends) await new Promise<never>(() => undefined);
}
