// Links: the SDK would sign the same, curl can open them, and making one is cheap.

import { GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { UploadLink } from '../../../functions/images/links.ts';
import { expect, it } from 'vitest';
import { createS3Client } from '../../../functions/images/s3/client.ts';
import { createS3Images } from '../../../functions/images/s3/images.ts';
import { createPresigner } from '../../../functions/images/s3/presign.ts';
import { BUCKET, credentials, region, startTestS3 } from '../../support/embedded-s3/support.ts';

const run = promisify(execFile);
const presigner = createPresigner({ credentials, region, bucket: BUCKET });

it.each([
  ['an endpoint of our own', 'http://192.168.1.7:5000', BUCKET],
  ['its scheme on the usual port', 'http://gpu.local:80', BUCKET],
  ['https', 'https://images.example.com', BUCKET],
  ['AWS', undefined, BUCKET],
  ['a bucket with a dot', undefined, 'my.images'],
])('%s: the same link as the SDK makes', async (_, endpoint, bucket) => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  const key = "images/a b/ü'(1)+%2f.png";
  const mine = await createPresigner({ credentials, region, bucket, now: () => now }).link({
    endpoint,
    key,
    filename: 'ü"1.png',
    contentType: 'image/png',
  });
  const command = new GetObjectCommand({
    Bucket: bucket,
    Key: key,
    ResponseContentDisposition: `inline; filename="__1.png"; filename*=UTF-8''%C3%BC%221.png`,
    ResponseContentType: 'image/png',
  });
  const client = createS3Client({ endpoint, region, credentials });
  const theirs = new URL(await getSignedUrl(client, command, { expiresIn: 900, signingDate: new Date(now) }));
  const link = new URL(mine);
  const place = (url: URL) => [url.host, url.pathname];
  expect(place(link)).toEqual(place(theirs));
  // The SDK also signs what no reader of a link needs.
  for (const name of [
    'X-Amz-Content-Sha256',
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'response-content-disposition',
    'response-content-type',
  ]) {
    expect(link.searchParams.get(name)).toBe(theirs.searchParams.get(name));
  }
});

it('opens with plain curl, for any name that leads to this machine', async () => {
  const s3 = await startTestS3();
  try {
    const images = createS3Images({ client: s3.client, bucket: BUCKET });
    const key = 'images/0f/1/Flux2 Turbo ü+(1)_00001_.png';
    await images.put(key, Buffer.alloc(300_000, 'x'), { contentType: 'image/png' });
    for (const endpoint of [s3.url, `http://localhost:${s3.port}`]) {
      const link = await presigner.link({
        endpoint,
        key,
        filename: 'Flux2.png',
        contentType: 'image/png',
      });
      const { stdout } = await run('curl', [
        '-4',
        '-sS',
        '-D',
        '-',
        '-o',
        '/dev/null',
        '-w',
        '%{size_download}',
        link,
      ]);
      expect(stdout).toMatch(/^HTTP\/1.1 200 OK\r\n/);
      expect(stdout).toMatch(/content-disposition: inline; filename="Flux2.png"\r\n/i);
      expect(stdout).toMatch(/\r\n300000$/);
    }
  } finally {
    await s3.stop();
  }
});

it('takes credentials that change, and their session', async () => {
  let n = 0;
  const provider = () => Promise.resolve({ ...credentials, sessionToken: `session ${++n}` });
  const rotating = createPresigner({ credentials: provider, region, bucket: BUCKET });
  expect(await rotating.link({ key: 'a' })).toContain('X-Amz-Security-Token=session%201');
  expect(await rotating.link({ key: 'a' })).toContain('X-Amz-Security-Token=session%202');
});

it('keeps the path of an endpoint, and signs what is behind it', async () => {
  const at = async (endpoint: string) => new URL(await presigner.link({ endpoint, key: 'images/a.png' }));
  const plain = await at('https://host');
  const behind = await at('https://host/comfy/');
  expect(behind.pathname).toBe(`/comfy${plain.pathname}`);
  expect(behind.search).toBe(plain.search);
});

it('takes one file by a PUT: this one, once, until it ends', async () => {
  const s3 = await startTestS3();
  try {
    const images = createS3Images({ client: s3.client, bucket: BUCKET });
    const bytes = randomBytes(300_000);
    const file = {
      key: `uploads/${'0'.repeat(16)}/${'a'.repeat(64)}.mp4`,
      sizeBytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
    const link = (now = Date.now()) =>
      createPresigner({ credentials, region, bucket: BUCKET, now: () => now }).uploadLink({
        endpoint: s3.url,
        ...file,
      });
    const put = async ({ url, headers }: UploadLink, body = bytes, more = {}) => {
      const answer = await fetch(url, { method: 'PUT', headers: { ...headers, ...more }, body });
      return [answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1]];
    };
    const wanted = await link();
    const other = Buffer.from(bytes);
    other[7]! ^= 1;
    expect(await put(wanted, other)).toEqual([400, 'BadDigest']);
    expect(await put(wanted, bytes.subarray(1))).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await put(wanted, Buffer.concat([bytes, bytes]))).toEqual([403, 'SignatureDoesNotMatch']);
    for (const name of Object.keys(wanted.headers))
      expect((await put(wanted, bytes, { [name]: 'text/html' }))[0]).toBeGreaterThanOrEqual(400);
    expect(await put({ ...wanted, url: wanted.url.replace(/a{64}/, 'b'.repeat(64)) })).toEqual([
      403,
      'SignatureDoesNotMatch',
    ]);
    expect(await put(await link(Date.now() - 16 * 60_000))).toEqual([403, 'AccessDenied']);
    expect(await images.head(file.key)).toBeUndefined();
    expect(await put(wanted)).toEqual([200, undefined]);
    expect(await images.head(file.key)).toMatchObject({ sizeBytes: bytes.length });
    expect(await put(wanted)).toEqual([412, 'PreconditionFailed']);
  } finally {
    await s3.stop();
  }
});
