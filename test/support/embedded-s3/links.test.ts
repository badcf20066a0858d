// Links to the embedded S3: good for a quarter of an hour, exactly as they were signed, and for reading only.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPresigner } from '../../../functions/images/s3/presign.ts';
import { BUCKET, credentials, region, send, signed, startTestS3, type Raw } from './support.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-23T12:00:00Z');
let now = START;
let s3: Awaited<ReturnType<typeof startTestS3>>;
beforeAll(async () => {
  s3 = await startTestS3({ now: () => now });
  const put = {
    method: 'PUT',
    path: `/${BUCKET}/a.png`,
    body: 'image',
    headers: { 'content-type': 'image/png' },
  };
  await send(s3.port, signed(s3.port, put, { at: START }));
});
beforeEach(() => {
  now = START;
});
afterAll(() => s3.stop());

describe('a link', () => {
  const presigner = () => createPresigner({ credentials, region, bucket: BUCKET, now: () => START });
  const link = async () => {
    const url = await presigner().link({
      endpoint: s3.url,
      key: 'a.png',
      filename: 'my image.png',
      contentType: 'image/webp',
    });
    return { path: url.slice(s3.url.length), headers: { host: `127.0.0.1:${s3.port}` } };
  };
  const open = async (change: (path: string) => string, more: Partial<Raw> = {}) => {
    const good = await link();
    return send(s3.port, { ...good, path: change(good.path), ...more });
  };

  it('opens with nothing else, and says what the image is called', async () => {
    const { status, body, headers } = await open((path) => path);
    expect({ status, body: body.toString() }).toEqual({ status: 200, body: 'image' });
    expect(headers).toMatchObject({
      'content-disposition': 'inline; filename="my image.png"',
      'content-type': 'image/webp',
    });
  });

  it('ends with its time, and does not begin before it', async () => {
    now = START + 15 * MINUTE - 1;
    expect(await open((path) => path)).toMatchObject({ status: 200 });
    now = START + 15 * MINUTE + 1;
    expect(await open((path) => path)).toMatchObject({ status: 403, code: 'AccessDenied' });
    now = START - 16 * MINUTE;
    expect(await open((path) => path)).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  it('fails when any part of it is changed', async () => {
    const { path } = await link();
    const [place, query = ''] = path.split('?');
    const pairs = query.split('&');
    expect(pairs.length).toBe(9);
    for (const [n, pair] of pairs.entries()) {
      const without = `${place}?${pairs.toSpliced(n, 1).join('&')}`;
      const changed = `${place}?${pairs
        .toSpliced(
          n,
          1,
          pair.replace(/.$/, (c) => (c === '1' ? '2' : '1')),
        )
        .join('&')}`;
      for (const bad of [without, changed]) {
        const answer = await open(() => bad);
        expect({ bad, status: answer.status }).toEqual({ bad, status: expect.toBeOneOf([400, 403]) });
      }
    }
    expect(await open((p) => p.replace('/a.png', '/b.png'))).toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(await open((p) => p.replace(`/${BUCKET}/`, '/other/'))).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    expect(await open((p) => `${p}&response-content-type=text%2Fhtml`)).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    expect(await open((p) => `${p}&X-Amz-Expires=604800`)).toMatchObject({
      code: 'AuthorizationQueryParametersError',
    });
    expect(await open((p) => p.replace('Expires=900', 'Expires=604801'))).toMatchObject({
      code: 'AuthorizationQueryParametersError',
    });
    expect(await open((p) => p, { method: 'DELETE' })).toMatchObject({ code: 'SignatureDoesNotMatch' });
    expect(await open((p) => p, { headers: { host: 'localhost:5000' } })).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
  });

  it('cannot smuggle a header', async () => {
    const url = await presigner().link({
      endpoint: s3.url,
      key: 'a.png',
      contentType: 'image/png\r\nset-cookie: x=1',
    });
    const answer = await send(s3.port, { path: url.slice(s3.url.length) });
    expect(answer).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});
