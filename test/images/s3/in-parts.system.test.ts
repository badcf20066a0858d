// What the embedded S3 of the tests does not know: an object that goes up in parts, on moto.

import { CreateBucketCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Images } from '../../../functions/images/images.ts';
import { createS3Client } from '../../../functions/images/s3/client.ts';
import { createS3Images } from '../../../functions/images/s3/images.ts';
import { hasMoto, type Moto, startMoto } from '../../support/moto.ts';

const MB = 1024 * 1024;
const SIZE = 70 * MB + 7;
const film = { contentType: 'video/mp4', sizeBytes: SIZE };

/** So many bytes, in pieces of an odd length. */
function* bytes(size: number, breaksAt = Infinity): Generator<Buffer> {
  for (let at = 0; at < size; at += 65_537) {
    if (at > breaksAt) throw new Error('half a film');
    yield Buffer.alloc(Math.min(65_537, size - at), at % 251);
  }
}
const stream = (size: number, breaksAt?: number) => Readable.from(bytes(size, breaksAt));

describe.skipIf(!hasMoto)(`an object in parts${hasMoto ? '' : ' (skipped: no moto_server)'}`, () => {
  let moto: Moto;
  let client: S3Client;
  let images: Images;
  beforeAll(async () => {
    moto = await startMoto();
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    client = createS3Client({ endpoint: moto.url, region: 'us-east-1', credentials });
    await client.send(new CreateBucketCommand({ Bucket: 'images' }));
    images = createS3Images({ client, bucket: 'images' });
  }, 90_000);
  afterAll(() => moto?.close());

  const unfinished = async () =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: 'images' }))).Uploads ?? [];

  it('comes back whole, and by its ranges', async () => {
    const stored = await images.put('film', stream(SIZE), film);
    expect(stored).toEqual({ sizeBytes: SIZE, etag: expect.stringMatching(/-9"$/) });
    const hash = createHash('sha256');
    for (const piece of bytes(SIZE)) hash.update(piece);
    const found = await images.get('film');
    if (typeof found !== 'object') throw new Error('it is not there');
    const got = createHash('sha256');
    for await (const piece of found.body as ReadableStream<Uint8Array>) got.update(piece);
    expect(got.digest('hex')).toBe(hash.digest('hex'));
    expect(await images.head('film')).toMatchObject({ ...film });
    const part = await images.get('film', { range: `bytes=${SIZE - 3}-` });
    expect(part).toMatchObject({ contentLength: 3, contentRange: `bytes ${SIZE - 3}-${SIZE - 1}/${SIZE}` });
    if (typeof part === 'object' && !(part.body instanceof Uint8Array)) await part.body.cancel();
    expect(await unfinished()).toEqual([]);
  });

  it('lets go of its source where S3 refuses', async () => {
    const body = stream(SIZE);
    const nowhere = createS3Images({ client, bucket: 'nowhere' });
    await expect(nowhere.put('film', body, film)).rejects.toMatchObject({ name: 'NoSuchBucket' });
    expect(body.destroyed).toBe(true);
  });

  it('that breaks, or is not as long as promised, is not there, and nothing of it stays', async () => {
    await expect(images.put('broken', stream(SIZE, 40 * MB), film)).rejects.toThrow('half a film');
    for (const size of [SIZE - 1, SIZE + 1])
      await expect(images.put('broken', stream(size), film)).rejects.toMatchObject({
        name: 'IncompleteBody',
      });
    expect(await images.head('broken')).toBeUndefined();
    expect(await unfinished()).toEqual([]);
  });
});
