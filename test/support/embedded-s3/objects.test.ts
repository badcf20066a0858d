// The embedded S3 as the real SDK sees it: what is put comes back, under its own key and no other.

import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUCKET, startTestS3 } from './support.ts';

let s3: Awaited<ReturnType<typeof startTestS3>>;
beforeAll(async () => {
  s3 = await startTestS3();
});
afterAll(() => s3.stop());

const at = (Key: string) => ({ Bucket: BUCKET, Key });
const put = (Key: string, Body: string | Uint8Array | Readable, more = {}) =>
  s3.client.send(new PutObjectCommand({ ...at(Key), Body, ...more }));
const get = (Key: string, more = {}) => s3.client.send(new GetObjectCommand({ ...at(Key), ...more }));
const text = async (Key: string, more = {}) => (await get(Key, more)).Body!.transformToString();
const list = async (Prefix: string, more = {}) => {
  const page = await s3.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix, ...more }));
  return { ...page, keys: (page.Contents ?? []).map(({ Key }) => Key) };
};

describe('an object', () => {
  it('comes back with its type, metadata, digest, length and time', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    await put('whole/a.png', 'hello', {
      ContentType: 'image/png',
      Metadata: { job: '7', node: 'save' },
      CacheControl: 'no-store',
    });
    const found = await get('whole/a.png');
    expect(await found.Body!.transformToString()).toBe('hello');
    const head = await s3.client.send(new HeadObjectCommand(at('whole/a.png')));
    for (const answer of [found, head]) {
      expect(answer).toMatchObject({
        ContentType: 'image/png',
        ContentLength: 5,
        CacheControl: 'no-store',
        ETag: `"${createHash('md5').update('hello').digest('hex')}"`,
        Metadata: { job: '7', node: 'save' },
      });
      expect(answer.LastModified!.getTime()).toBeGreaterThanOrEqual(before);
    }
  });

  it('keeps no trace of how it travelled: a stream arrives without its chunk framing', async () => {
    const pieces = Array.from({ length: 300 }, (_, n) => Buffer.alloc(4099, n));
    await put('framing', Readable.from(pieces), { ContentLength: 300 * 4099 });
    const found = await get('framing');
    expect(found.ContentEncoding).toBeUndefined();
    expect(Buffer.from(await found.Body!.transformToByteArray()).equals(Buffer.concat(pieces))).toBe(true);
  });

  it('may be empty, and is replaced as a whole', async () => {
    await put('empty', '');
    expect(await text('empty')).toBe('');
    await put('empty', 'full', { ContentType: 'text/plain' });
    expect(await text('empty')).toBe('full');
    expect((await list('empty')).keys).toEqual(['empty']);
  });

  it('is given in ranges', async () => {
    await put('range', '0123456789');
    expect(await text('range', { Range: 'bytes=2-4' })).toBe('234');
    expect(await text('range', { Range: 'bytes=7-' })).toBe('789');
    expect(await text('range', { Range: 'bytes=-3' })).toBe('789');
    expect(await text('range', { Range: 'bytes=8-99' })).toBe('89');
    expect(await text('range', { Range: 'bytes=-99' })).toBe('0123456789');
    expect(await text('range', { Range: 'bytes=5-2' })).toBe('0123456789');
    expect((await get('range', { Range: 'bytes=2-4' })).ContentRange).toBe('bytes 2-4/10');
    await expect(get('range', { Range: 'bytes=10-' })).rejects.toMatchObject({ name: 'InvalidRange' });
    await expect(get('range', { Range: 'bytes=-0' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('is not sent again to who has it, and written once where that is asked', async () => {
    const { ETag } = await put('once', 'first', { IfNoneMatch: '*' });
    await expect(get('once', { IfNoneMatch: ETag })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    expect(await text('once', { IfNoneMatch: '"other"' })).toBe('first');
    await expect(put('once', 'second', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    expect(await text('once')).toBe('first');
    const race = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => put('race', `${n}`, { IfNoneMatch: '*' })),
    );
    const winners = race.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n}`] : []));
    expect([await text('race')]).toEqual(winners);
  });

  it('is gone after a deletion, which may be repeated', async () => {
    await put('gone', 'x');
    await s3.client.send(new DeleteObjectCommand(at('gone')));
    await s3.client.send(new DeleteObjectCommand(at('gone')));
    await expect(get('gone')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(s3.client.send(new HeadObjectCommand(at('gone')))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it('that somebody changed on the disk is never passed off as the whole', async () => {
    await put('changed/one', 'x'.repeat(1000));
    const name = (await s3.files()).find((file) => file.endsWith('-one'))!;
    await writeFile(join(s3.directory, BUCKET, name), 'y', { flag: 'r+' });
    await expect(text('changed/one')).rejects.toThrow(/[Cc]hecksum/);
    await writeFile(join(s3.directory, BUCKET, name), 'short');
    await expect(text('changed/one')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect((await list('changed/')).keys).toEqual([]);
    await put('changed/one', 'new');
    expect(await text('changed/one')).toBe('new');
  });

  it('is taken also after somebody deleted the folders, and those that were in them are missing', async () => {
    await put('deleted/one', 'one');
    for (const folder of [BUCKET, '.incoming'])
      await rm(join(s3.directory, folder), { recursive: true, force: true });
    for (const size of [10, 1_000_000]) {
      await put(`deleted/${size}`, 'x'.repeat(size));
      expect(await text(`deleted/${size}`)).toHaveLength(size);
    }
    await expect(text('deleted/one')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect((await list('deleted/')).keys).toEqual(['deleted/10', 'deleted/1000000']);
  });
});

describe('a key', () => {
  const keys = [
    '../outside', '../../../../tmp/outside', 'a/../../b', '..', '.', '%2e%2e%2f', '%00', 'nul\0byte', 'a', 'a/b', 'a/b/', 'a//b',
    'A', 'A/B', '\u00c4', 'A\u0308', 'ﬀ', '😀', ' blank ', '+ +', "q'u\"o&t<e>", 'back\\slash', 'new\nline\r', '?x=1#y', '-rf', 'con', 'x'.repeat(1024),
    `${'long/'.repeat(200)}end`, 'é'.repeat(512),
  ]; // prettier-ignore

  it('is nothing but a key, whatever it contains', async () => {
    const other = { Bucket: 'other' };
    for (const Key of keys) await s3.client.send(new PutObjectCommand({ ...other, Key, Body: Key }));
    for (const Key of keys) {
      const found = await s3.client.send(new GetObjectCommand({ ...other, Key }));
      expect(await found.Body!.transformToString()).toBe(Key);
    }
    const files = await readdir(join(s3.directory, 'other'));
    for (const name of files) expect(name).toMatch(/^[0-9a-f]{40}-[a-z0-9._-]{0,100}$/);
    expect(files.length).toBe(new Set(keys).size);
    expect((await readdir(s3.directory)).sort()).toEqual(['.incoming', BUCKET, 'other']);
    // The listing gives them back unchanged, in the order of their bytes.
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command(other));
    const inOrder = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(Contents.map(({ Key }) => Key)).toEqual(inOrder);
    const Objects = keys.map((Key) => ({ Key }));
    await s3.client.send(new DeleteObjectsCommand({ ...other, Delete: { Objects } }));
    expect(await readdir(join(s3.directory, 'other'))).toEqual([]);
  });

  it('of more than 1024 bytes is refused', async () => {
    await expect(put('é'.repeat(513), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });
});

describe('a bucket', () => {
  it('is there from the start, and others are not', async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await s3.client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    const elsewhere = { Bucket: 'elsewhere', Key: 'x' };
    await expect(s3.client.send(new GetObjectCommand(elsewhere))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    await expect(s3.client.send(new CreateBucketCommand({ Bucket: 'elsewhere' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  it('lists by prefix, page by page, also while it changes', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `page/${String(n).padStart(2, '0')}`);
    for (const name of [...names, 'page', 'page0', 'pag/e']) await put(name, name);
    const first = await list('page/', { MaxKeys: 10 });
    expect(first).toMatchObject({ IsTruncated: true, KeyCount: 10, keys: names.slice(0, 10) });
    await s3.client.send(new DeleteObjectCommand(at('page/09')));
    await put('page/095', 'new');
    const second = await list('page/', { MaxKeys: 10, ContinuationToken: first.NextContinuationToken });
    expect(second.keys).toEqual(['page/095', ...names.slice(10, 19)]);
    const third = await list('page/', { ContinuationToken: second.NextContinuationToken });
    expect(third).toMatchObject({ IsTruncated: false, keys: names.slice(19) });
    expect((await list('page/', { StartAfter: 'page/20' })).keys).toEqual(names.slice(21));
    expect((await list('nothing')).keys).toEqual([]);
  });

  it('refuses what it would otherwise have to ignore', async () => {
    await put('source', 'x');
    await expect(list('', { Delimiter: '/' })).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(get('source', { IfMatch: '"x"' })).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(put('source', 'y', { ChecksumAlgorithm: 'SHA1' })).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    expect(await text('source')).toBe('x');
  });
});
