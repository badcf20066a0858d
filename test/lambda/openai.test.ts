// OpenAI's SDK on AWS: through CloudFront as the template has it, to the api's bundle, which holds no call. The first job starts a GPU
// host; the SDK comes again by itself until its image is there.

import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../api/v2/support.ts';
import { type BehindCloudFront, startBehindCloudFront } from './behind-cloudfront.ts';
import { lacksRuntime, skipped } from './deployment.ts';

describe.skipIf(lacksRuntime)(`OpenAI's SDK through CloudFront${skipped}`, { timeout: 120_000 }, () => {
  let aws: BehindCloudFront;
  let client: OpenAI;
  beforeAll(async () => {
    aws = await startBehindCloudFront();
    const key = await aws.keyOf('alice', ['generate', 'read']);
    client = new OpenAI({ baseURL: `${aws.cloudFront.url}/v1`, apiKey: key });
  }, 120_000);
  afterAll(() => aws?.close());

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
    const { items } = await aws.deployment.behind.jobs.listOwned('alice', 10);
    expect(items.map(({ jobId }) => jobId)).toEqual([response.headers.get('x-job-id')]);
  });
});
