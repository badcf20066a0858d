// functions/images against a real S3 server over HTTP: whole images or none, whatever breaks on the way.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { RangeNotSatisfiable, type Images, type StoredImage } from '../../functions/images/images.ts';
import { createS3Images } from '../../functions/images/s3/images.ts';
import { BUCKET, credentials, region, startTestS3 } from '../local/embedded-s3-support.ts';

let s3: Awaited<ReturnType<typeof startTestS3>>;
let images: Images;
beforeAll(async () => {
  s3 = await startTestS3();
  images = createS3Images({ client: s3.client, bucket: BUCKET });
});
afterAll(() => s3.stop());

const png = { contentType: 'image/png' };
const MB = 1024 * 1024;
const whole = async (found: StoredImage | 'not-modified' | undefined) => {
  if (typeof found !== 'object') throw new Error(`no image: ${found}`);
  return Buffer.from(await new Response(found.body as never).arrayBuffer());
};
const webStream = (pieces: Uint8Array[], end: 'closes' | 'breaks' = 'closes') =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else if (end === 'closes') controller.close();
      else controller.error(new Error('half an image'));
    },
  });

describe('put', () => {
  const content = Buffer.alloc(3 * MB, 'image');
  it.each([
    ['bytes', () => content, undefined],
    ['a Node stream', () => Readable.from([content.subarray(0, MB), content.subarray(MB)]), content.length],
    ['a web stream', () => webStream([content.subarray(0, 7), content.subarray(7)]), content.length],
    ['a stream of unknown length', () => webStream([content.subarray(0, 7), content.subarray(7)]), undefined],
  ])('of %s comes back whole', async (name, body, sizeBytes) => {
    const put = await images.put(`put/${name}`, body(), { ...png, sizeBytes });
    const found = await images.get(`put/${name}`);
    expect(found).toMatchObject({ ...png, contentLength: content.length, etag: put.etag, partial: false });
    expect(put.sizeBytes).toBe(content.length);
    expect((await whole(found)).equals(content)).toBe(true);
  });

  it('of a stream that breaks in the middle rejects with what broke, and leaves nothing', async () => {
    for (const sizeBytes of [2 * MB, undefined]) {
      const body = webStream([Buffer.alloc(MB)], 'breaks');
      await expect(images.put('broken', body, { ...png, sizeBytes })).rejects.toThrow('half an image');
      const gone = new Readable({ read() {} });
      gone.push(Buffer.alloc(1000));
      setTimeout(() => gone.destroy(), 30);
      await expect(images.put('broken', gone, { ...png, sizeBytes })).rejects.toThrow(/[Pp]remature/);
    }
    await vi.waitFor(async () =>
      expect((await s3.files()).filter((file) => !file.includes('-'))).toEqual([]),
    );
    expect(await images.head('broken')).toBeUndefined();
  });

  it('of half an image from a server that hangs up rejects', async () => {
    const upstream = createServer((_, res) => {
      res.writeHead(200, { 'content-length': 2 * MB });
      res.write(Buffer.alloc(MB), () => setTimeout(() => res.destroy(), 20));
    });
    const url = await listen(upstream);
    const view = await fetch(url);
    await expect(
      images.put('half', view.body as ReadableStream<Uint8Array>, { ...png, sizeBytes: 2 * MB }),
    ).rejects.toThrow('terminated');
    expect(await images.get('half')).toBeUndefined();
    upstream.close();
  });

  it('of a stream that is not as long as promised rejects', async () => {
    for (const sizeBytes of [5, 15]) {
      const body = Readable.from([Buffer.alloc(10)]);
      await expect(images.put('length', body, { ...png, sizeBytes })).rejects.toMatchObject({
        name: 'IncompleteBody',
      });
      await expect(images.put('length', Buffer.alloc(10), { ...png, sizeBytes })).rejects.toThrow('not');
    }
    expect(await images.head('length')).toBeUndefined();
  });

  it('lets go of its source when S3 refuses', async () => {
    const nowhere = createS3Images({ client: s3.client, bucket: 'nowhere' });
    const body = new Readable({ read() {} });
    body.push(Buffer.alloc(10));
    await expect(nowhere.put('x', body, { ...png, sizeBytes: MB })).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    expect(body.destroyed).toBe(true);
  });

  it('fails soon when there is no S3', async () => {
    const client = createS3Client({ endpoint: 'http://127.0.0.1:9', region, credentials });
    await expect(createS3Images({ client, bucket: BUCKET }).put('x', Buffer.alloc(1), png)).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});

it('putOnce keeps what is there, and its connections', async () => {
  expect(await images.putOnce('once', Buffer.from('first'), png)).toBe('written');
  expect(await images.putOnce('once', Buffer.from('second'), png)).toBe('existed');
  // More than the client has connections: one left hanging by each would stop the rest.
  for (let n = 0; n < 150; n++) {
    const body = new Readable({ read() {} });
    body.push(Buffer.alloc(1000));
    expect(await images.putOnce('once', body, { ...png, sizeBytes: MB })).toBe('existed');
  }
  expect((await whole(await images.get('once'))).toString()).toBe('first');
});

describe('get', () => {
  it('knows no such key, and distinguishes it from no such bucket', async () => {
    expect(await images.get('nothing')).toBeUndefined();
    expect(await images.head('nothing')).toBeUndefined();
    const nowhere = createS3Images({ client: s3.client, bucket: 'nowhere' });
    await expect(nowhere.get('nothing')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  it('answers ranges and conditions', async () => {
    const { etag } = await images.put('range', Buffer.from('0123456789'), png);
    const part = await images.get('range', { range: 'bytes=2-4' });
    expect(part).toMatchObject({ partial: true, contentLength: 3, contentRange: 'bytes 2-4/10' });
    expect((await whole(part)).toString()).toBe('234');
    for (const range of ['bytes=x-', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=-', 'bytes=1-2\r\nx: y']) {
      expect((await whole(await images.get('range', { range }))).toString()).toBe('0123456789');
    }
    const behind = images.get('range', { range: 'bytes=10-' });
    await expect(behind).rejects.toBeInstanceOf(RangeNotSatisfiable);
    await expect(behind).rejects.toMatchObject({ name: 'RangeNotSatisfiable', sizeBytes: 10 });
    expect(await images.get('range', { ifNoneMatch: etag })).toBe('not-modified');
    expect(await images.get('range', { ifNoneMatch: `W/${etag}` })).toBe('not-modified');
    expect((await whole(await images.get('range', { ifNoneMatch: '"other"' }))).length).toBe(10);
    expect(await images.head('range')).toMatchObject({ ...png, sizeBytes: 10, etag });
  });

  it('lets its connection go when the reader does', async () => {
    await images.put('large', Buffer.alloc(8 * MB), png);
    for (let n = 0; n < 150; n++) {
      const found = await images.get('large');
      if (typeof found !== 'object') throw new Error('no image');
      await found.body.cancel();
    }
    expect(await images.head('large')).toMatchObject({ sizeBytes: 8 * MB });
  });

  it('never takes half an answer for the whole', async () => {
    const server = createServer((_, res) => {
      res.writeHead(200, { 'content-length': MB, etag: '"x"' });
      res.write(Buffer.alloc(1000), () => setTimeout(() => res.destroy(), 20));
    });
    const client = createS3Client({ endpoint: await listen(server), region, credentials });
    const found = await createS3Images({ client, bucket: BUCKET }).get('x');
    await expect(whole(found)).rejects.toThrow('aborted');
    client.destroy();
    server.close();
  });
});

it('lists by prefix past a page, and deletes past a batch', async () => {
  const keys = Array.from({ length: 1203 }, (_, n) => `many/${n}`);
  await Promise.all([...keys, 'manyfold'].map((key) => images.put(key, Buffer.from(key), png)));
  const listed = await all(images.list('many/'));
  expect(listed.map(({ key }) => key)).toEqual(keys.toSorted());
  expect(listed[0]).toMatchObject({ key: 'many/0', sizeBytes: 6, lastModified: expect.any(Date) });
  await images.delete([...keys, 'never']);
  expect((await all(images.list('many'))).map(({ key }) => key)).toEqual(['manyfold']);
  await images.delete([]);
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
