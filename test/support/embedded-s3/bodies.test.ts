// Bodies that lie, break off or arrive damaged: each is refused, and nothing half is left.

import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUCKET, send, signed, startTestS3 } from './support.ts';

const sumOf = (bytes: string | Uint8Array) => {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
};

describe('a body', () => {
  let s3: Awaited<ReturnType<typeof startTestS3>>;
  beforeAll(async () => {
    s3 = await startTestS3();
  });
  afterAll(() => s3.stop());

  const path = `/${BUCKET}/body`;
  const put = (body: string | Uint8Array, headers: Record<string, string> = {}, payload?: string) =>
    send(
      s3.port,
      signed(
        s3.port,
        {
          method: 'PUT',
          path,
          body,
          headers: { 'content-length': `${Buffer.byteLength(body)}`, ...headers },
        },
        { ...(payload && { payload }) },
      ),
    );
  const chunked = (body: string, headers: Record<string, string> = {}) =>
    put(
      body,
      {
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '5',
        'x-amz-trailer': 'x-amz-checksum-crc32',
        ...headers,
      },
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    );
  const trailer = (sum = sumOf('hello')) => `x-amz-checksum-crc32:${sum}\r\n\r\n`;

  it.each([
    ['a wrong CRC32', { 'x-amz-checksum-crc32': sumOf('hellO') }, 'BadDigest'],
    ['a wrong MD5', { 'content-md5': createHash('md5').update('hellO').digest('base64') }, 'BadDigest'],
    ['a checksum nobody verifies', { 'x-amz-checksum-sha1': 'AAAA' }, 'NotImplemented'],
    ['too much metadata', { 'x-amz-meta-x': 'x'.repeat(2100) }, 'MetadataTooLarge'],
  ])('with %s is refused', async (_, headers, code) => {
    expect(await put('hello', headers)).toMatchObject({ code });
    expect(await s3.files()).toEqual([]);
  });

  it.each([
    ['a wrong trailer', `5\r\nhello\r\n0\r\n${trailer(sumOf('hellO'))}`, 'BadDigest'],
    ['no trailer where one was announced', '5\r\nhello\r\n0\r\n\r\n', 'BadDigest'],
    ['fewer bytes than promised', `4\r\nhell\r\n0\r\n${trailer(sumOf('hell'))}`, 'IncompleteBody'],
    ['more bytes than promised', `6\r\nhello!\r\n0\r\n${trailer(sumOf('hello!'))}`, 'IncompleteBody'],
    ['no end', '5\r\nhello\r\n', 'IncompleteBody'],
    ['a chunk longer than its size', `4\r\nhello\r\n0\r\n${trailer()}`, 'InvalidRequest'],
    ['a size that is no number', `-5\r\nhello\r\n0\r\n${trailer()}`, 'InvalidRequest'],
    ['a size without end', 'f'.repeat(100_000), 'InvalidRequest'],
    ['something behind its end', `5\r\nhello\r\n0\r\n${trailer()}more`, 'InvalidRequest'],
    ['no framing at all', 'hello', 'IncompleteBody'],
  ])('in chunks with %s is refused', async (_, body, code) => {
    expect(await chunked(body)).toMatchObject({ status: 400, code });
    expect(await s3.files()).toEqual([]);
  });

  it('in chunks is decoded however the bytes are cut into packets', async () => {
    const body = Buffer.from(`3\r\nhel\r\n2\r\nlo\r\n0\r\n${trailer()}`);
    for (let cut = 1; cut < body.length; cut++) {
      const raw = signed(s3.port, { method: 'PUT', path, headers: { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32' } }, { payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }); // prettier-ignore
      const answer = await fetch(`${s3.url}${path}`, {
        ...raw,
        duplex: 'half',
        body: new ReadableStream({
          start(controller) {
            controller.enqueue(body.subarray(0, cut));
            setImmediate(() => {
              controller.enqueue(body.subarray(cut));
              controller.close();
            });
          },
        }),
      });
      expect(answer.status).toBe(200);
    }
    expect(await send(s3.port, signed(s3.port, { path }))).toMatchObject({ body: Buffer.from('hello') });
    await send(s3.port, signed(s3.port, { method: 'DELETE', path }));
  });

  it('whose chunks claim signatures, or whose length is missing, is refused', async () => {
    expect(await put('hello', {}, 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD')).toMatchObject({ status: 501 });
    expect(
      await put('hello', { 'x-amz-decoded-content-length': 'x' }, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'),
    ).toMatchObject({ status: 411 });
    const bare = signed(
      s3.port,
      { method: 'PUT', path, headers: { 'transfer-encoding': 'chunked' } },
      { payload: 'UNSIGNED-PAYLOAD' },
    );
    expect(await send(s3.port, { ...bare, body: 'hello' })).toMatchObject({ status: 411 });
  });

  it('that is cut in the middle leaves nothing, small or large', async () => {
    for (const size of [10, 5_000_000]) {
      const half = Buffer.alloc(size / 2, 7);
      const raw = { method: 'PUT', path, headers: { 'content-length': `${size}` }, cutAfter: half };
      await expect(send(s3.port, signed(s3.port, raw, { payload: 'UNSIGNED-PAYLOAD' }))).rejects.toThrow(
        'cut',
      );
      await vi.waitFor(async () => expect(await s3.files()).toEqual([]));
    }
    expect(await send(s3.port, signed(s3.port, { path }))).toMatchObject({ status: 404 });
  });

  it('that is refused early leaves a connection that answers', async () => {
    const large = Buffer.alloc(3_000_000);
    expect(await send(s3.port, { method: 'PUT', path, body: large })).toMatchObject({ status: 403 });
    const raw = signed(s3.port, {
      method: 'PUT',
      path,
      body: large,
      headers: { 'x-amz-checksum-sha1': 'x' },
    });
    expect(await send(s3.port, raw)).toMatchObject({ status: 501 });
    // Refused in the middle: the first chunk is longer than all was promised to be. The rest must be read away.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { 'content-length': '30000012', 'x-amz-decoded-content-length': '5' };
    const body = `1c9c380\r\n${'x'.repeat(30_000_000)}\r\n0`;
    const long = signed(s3.port, { method: 'PUT', path, body, headers }, { payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }); // prettier-ignore
    expect(await send(s3.port, { ...long, agent })).toMatchObject({ code: 'IncompleteBody' });
    expect(await send(s3.port, { ...signed(s3.port, { path }), agent })).toMatchObject({ status: 404 });
    agent.destroy();
    expect(await s3.files()).toEqual([]);
  });
});
