// OpenAI's SDK on AWS: through CloudFront as the template has it, to the api's bundle, which holds no call. The first job starts a GPU
// host; the SDK comes again by itself until its image is there.

import { randomBytes } from 'node:crypto';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drawKey } from '../../functions/core/access.ts';
import { picture } from '../api/v2/support.ts';
import { templatesWith } from '../infra/synth.ts';
import { type CloudFront, startCloudFront } from './cloudfront.ts';
import { lacksRuntime, skipped } from './deployment.ts';
import { distributionOf } from './distribution.ts';
import { functionUrl } from './origin.ts';
import { startWholeDeployment, type WholeDeployment } from './whole-deployment.ts';

const HOST = 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws';

describe.skipIf(lacksRuntime)(`OpenAI's SDK through CloudFront${skipped}`, { timeout: 120_000 }, () => {
  let deployment: WholeDeployment;
  let cloudFront: CloudFront;
  let client: OpenAI;
  beforeAll(async () => {
    deployment = await startWholeDeployment({ everyMinute: 500 });
    cloudFront = await startCloudFront(distributionOf(templatesWith().compute), {
      origin: functionUrl(deployment.functions.api, HOST),
      hostName: HOST,
      secret: deployment.environment['ORIGIN_SECRET']!,
    });
    const { key, keyId, hash } = drawKey(randomBytes);
    const { keys, now } = deployment.behind;
    const scopes = ['generate', 'read'] as const;
    await keys.add({ keyId, hash, name: 'alice', owner: 'alice', scopes: [...scopes], createdAt: now() });
    client = new OpenAI({ baseURL: `${cloudFront.url}/v1`, apiKey: key });
  }, 120_000);
  afterAll(async () => {
    await cloudFront?.close();
    await deployment?.close();
  });

  test('an edit, in WebP, of one job', async () => {
    const asked = {
      image: await toFile(picture(), 'photo.png', { type: 'image/png' }),
      prompt: 'a red fox',
      size: '256x256',
      output_format: 'webp',
    } as const;
    const { data, response } = await client.images.edit(asked).withResponse();
    const bytes = Buffer.from(data.data![0]!.b64_json!, 'base64');
    expect(bytes.toString('latin1', 8, 12)).toBe('WEBP');
    const { items } = await deployment.behind.jobs.listOwned('alice', 10);
    expect(items.map(({ jobId }) => jobId)).toEqual([response.headers.get('x-job-id')]);
  });
});
