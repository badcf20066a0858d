// What only a bucket has: a server that refuses, is not there, or breaks off.

import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createS3Client } from '../../../functions/images/s3/client.ts';
import { createS3Images } from '../../../functions/images/s3/images.ts';
import { BUCKET, credentials, region, startTestS3 } from '../../support/embedded-s3/support.ts';
import { listen, MB, png, whole } from '../support.ts';

let s3: Awaited<ReturnType<typeof startTestS3>>;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.stop());
const nowhere = () => createS3Images({ client: s3.client, bucket: 'nowhere' });

it('a put lets go of its source when S3 refuses', async () => {
  const body = new Readable({ read() {} });
  body.push(Buffer.alloc(10));
  await expect(nowhere().put('x', body, { ...png, sizeBytes: MB })).rejects.toMatchObject({
    name: 'NoSuchBucket',
  });
  expect(body.destroyed).toBe(true);
});

it('a get distinguishes no such key from no such bucket', async () => {
  await expect(nowhere().get('nothing')).rejects.toMatchObject({ name: 'NoSuchBucket' });
});

it('a put fails soon when there is no S3', async () => {
  const client = createS3Client({ endpoint: 'http://127.0.0.1:9', region, credentials });
  await expect(createS3Images({ client, bucket: BUCKET }).put('x', Buffer.alloc(1), png)).rejects.toThrow(
    'ECONNREFUSED',
  );
});

it('a get never takes half an answer for the whole', async () => {
  const { url, server } = await listen((_, res) => {
    res.writeHead(200, { 'content-length': MB, etag: '"x"' });
    res.write(Buffer.alloc(1000), () => setTimeout(() => res.destroy(), 20));
  });
  const client = createS3Client({ endpoint: url, region, credentials });
  const found = await createS3Images({ client, bucket: BUCKET }).get('x');
  await expect(whole(found)).rejects.toThrow('aborted');
  client.destroy();
  server.close();
});
