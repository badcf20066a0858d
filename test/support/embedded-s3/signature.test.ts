// Who may ask the embedded S3: every part of a request that could be changed on the way, changed.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BUCKET, send, signed, startTestS3, type Raw, type Signing } from './support.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-23T12:00:00Z');
let now = START;
let s3: Awaited<ReturnType<typeof startTestS3>>;
beforeAll(async () => {
  s3 = await startTestS3({ now: () => now });
  await ask({
    method: 'PUT',
    path: `/${BUCKET}/a.png`,
    body: 'image',
    headers: { 'content-type': 'image/png' },
  });
});
beforeEach(() => {
  now = START;
});
afterAll(() => s3.stop());

const ask = (raw: Raw, signing: Signing = {}) =>
  send(s3.port, signed(s3.port, raw, { at: START, ...signing }));
const read = { path: `/${BUCKET}/a.png` };

describe('a signed header', () => {
  it('is accepted', async () => {
    expect(await ask(read)).toMatchObject({ status: 200, body: Buffer.from('image') });
  });

  it('of nobody, of a stranger, or of another region does not', async () => {
    expect(await send(s3.port, read)).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await ask(read, { key: 'stranger' })).toMatchObject({ status: 403, code: 'InvalidAccessKeyId' });
    expect(await ask(read, { secret: 'guessed' })).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
    expect(await ask(read, { region: 'eu-west-1' })).toMatchObject({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
    });
    const headers = {
      ...signed(s3.port, read, { at: START }).headers,
      authorization: 'AWS4-HMAC-SHA256 nonsense',
    };
    expect(await send(s3.port, { ...read, headers })).toMatchObject({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
    });
  });

  it('is good for fifteen minutes of difference between the clocks', async () => {
    expect(await ask(read, { at: START - 14 * MINUTE })).toMatchObject({ status: 200 });
    expect(await ask(read, { at: START + 14 * MINUTE })).toMatchObject({ status: 200 });
    for (const at of [START - 16 * MINUTE, START + 16 * MINUTE]) {
      expect(await ask(read, { at })).toMatchObject({ status: 403, code: 'RequestTimeTooSkewed' });
    }
  });

  it('covers method, path, query, headers and body', async () => {
    const put = { method: 'PUT', path: `/${BUCKET}/b`, body: 'true', headers: { 'x-amz-meta-by': 'me' } };
    const good = signed(s3.port, put, { at: START });
    const tampered: Raw[] = [
      { ...good, method: 'DELETE', body: '' },
      { ...good, path: `/${BUCKET}/c` },
      { ...good, path: `/${BUCKET}/x/../b` },
      { ...good, path: `/${BUCKET}/%62` },
      { ...good, path: `${good.path}?x-id=Other` },
      { ...good, headers: { ...good.headers, 'x-amz-meta-by': 'you' } },
      { ...good, headers: { ...good.headers, host: 'elsewhere' } },
      { ...good, headers: { ...good.headers, 'x-amz-date': '20261123T120001Z' } },
      { ...good, headers: { ...good.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    ];
    for (const raw of tampered) {
      expect(await send(s3.port, raw)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    }
    expect(
      await send(s3.port, { ...good, headers: { ...good.headers, 'x-amz-copy-source': '/images/a.png' } }),
    ).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await ask(put, { unsigned: ['host'] })).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await ask(put, { unsigned: ['x-amz-meta-by'] })).toMatchObject({
      status: 403,
      code: 'AccessDenied',
    });
    expect(await send(s3.port, { ...good, body: 'fals' })).toMatchObject({
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
    });
    expect(await ask({ path: `/${BUCKET}/b` })).toMatchObject({ status: 404 });
    expect(await send(s3.port, good)).toMatchObject({ status: 200 });
  });
});

it('a path or query that cannot be decoded is a bad request', async () => {
  expect(await ask({ path: `/${BUCKET}/%ff` })).toMatchObject({ status: 400, code: 'InvalidURI' });
  expect(await ask({ path: `/${BUCKET}/%zz` })).toMatchObject({ status: 400, code: 'InvalidURI' });
  expect(await ask({ path: `/${BUCKET}?list-type=2&prefix=%e4` })).toMatchObject({
    status: 400,
    code: 'InvalidURI',
  });
});
