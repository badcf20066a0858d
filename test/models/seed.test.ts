// Filling the models bucket from a stand-in hub over HTTP into the embedded S3.

import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ModelBucket, openBucket } from '../../functions/models/bucket.ts';
import { createHub } from '../../functions/models/hub.ts';
import { MANIFEST_KEY, readManifest } from '../../functions/models/manifest.ts';
import { seed } from '../../functions/models/seed.ts';
import { verifyFile } from '../../functions/models/verify.ts';
import type { Wanted } from '../../functions/models/wanted.ts';
import { BUCKET, startTestS3 } from '../support/embedded-s3/support.ts';
import { COMMIT, sha256Of, type StandInHub, startStandInHub } from './hub.ts';

const VAE = Buffer.alloc(300_000, 'vae ');
const LORA = Buffer.alloc(200_001, 'lora');
const wanted: Wanted = {
  licence: { name: 'a licence', url: 'https://example.com/licence' },
  files: [
    { folder: 'vae', filename: 'v.safetensors', repo: 'us/models', revision: 'main', path: 'split/v' },
    { folder: 'loras', filename: 'l.safetensors', repo: 'us/models', revision: 'main', path: 'split/l' },
  ],
};

let s3: Awaited<ReturnType<typeof startTestS3>>;
let bucket: ModelBucket;
let hub: StandInHub;
beforeEach(async () => {
  s3 = await startTestS3();
  bucket = openBucket(s3.client, BUCKET);
  hub = await startStandInHub({ 'split/v': VAE, 'split/l': LORA });
});
afterEach(async () => {
  await Promise.all([s3.stop(), hub.close()]);
});

function run(token?: string, accepts = true) {
  const client = createHub({ url: hub.url, token, pause: () => Promise.resolve() });
  return seed({ hub: client, bucket, say: () => undefined }, wanted, accepts);
}
const fetched = () =>
  hub.asked.filter(({ storageSaw, method }) => method === 'GET' && storageSaw === undefined);
async function bytesOf(Key: string): Promise<Buffer> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
  return Buffer.from(await Body!.transformToByteArray());
}

describe('seed', () => {
  test('stores each file by its content and writes the manifest last', async () => {
    const manifest = await run();
    expect(manifest.files).toEqual([
      {
        folder: 'vae',
        filename: 'v.safetensors',
        sizeBytes: VAE.length,
        sha256: sha256Of(VAE),
        key: `models/${sha256Of(VAE)}/v.safetensors`,
        source: { repo: 'us/models', revision: COMMIT, path: 'split/v' },
      },
      expect.objectContaining({ folder: 'loras', sha256: sha256Of(LORA) }),
    ]);
    expect(readManifest(await bucket.readJson(MANIFEST_KEY), BUCKET)).toEqual(manifest);
    expect((await bytesOf(manifest.files[1]!.key)).equals(LORA)).toBe(true);
    for (const file of manifest.files) expect(await verifyFile(bucket, file, true)).toBe('ok');
  });

  test('fetches nothing twice: what is in the bucket with the right checksum stays', async () => {
    await run();
    const before = fetched().length;
    expect(before).toBeGreaterThan(0);
    await run();
    expect(fetched().length).toBe(before);
  });

  test('fetches again what lies there with another checksum', async () => {
    const first = await run();
    const wrong = Buffer.alloc(VAE.length, 'else');
    await bucket.upload(first.files[0]!.key, () => piecesOf(wrong), {
      sizeBytes: wrong.length,
      sha256: sha256Of(wrong),
    });
    expect(await verifyFile(bucket, first.files[0]!, false)).toBe('another SHA-256');
    await run();
    expect((await bytesOf(first.files[0]!.key)).equals(VAE)).toBe(true);
  });

  test('without the licence accepted says which and where, and asks the hub nothing', async () => {
    await expect(run(undefined, false)).rejects.toThrow(
      /https:\/\/example\.com\/licence.* --accept-licence$/,
    );
    expect(hub.asked).toEqual([]);
  });

  test('takes up a connection that breaks where it broke', async () => {
    hub.cuts = [100_000, 50_000];
    const manifest = await run();
    expect((await bytesOf(manifest.files[0]!.key)).equals(VAE)).toBe(true);
    const ranges = hub.asked.filter(({ path, method }) => path === 'split/v' && method === 'GET');
    expect([...new Set(ranges.map(({ range }) => range))]).toEqual([
      'bytes=0-',
      'bytes=100000-',
      'bytes=150000-',
    ]);
  });

  test('gives up on a hub that always breaks off, and leaves no manifest', async () => {
    hub.cuts = Array.from({ length: 20 }, () => 0);
    await expect(run()).rejects.toThrow(
      /^v\.safetensors broke off at byte 0 of 300000 \(.*\); run this again, what is complete is kept$/,
    );
    expect(await bucket.readJson(MANIFEST_KEY)).toBeUndefined();
  });

  test('stores nothing of a file whose bytes are not what the hub says', async () => {
    hub.sha256 = sha256Of(Buffer.from('another'));
    await expect(run()).rejects.toThrow(/^v\.safetensors .*\(another SHA-256\)/);
    expect(await bucket.head(`models/${hub.sha256}/v.safetensors`)).toBeUndefined();
    expect(await bucket.readJson(MANIFEST_KEY)).toBeUndefined();
  });

  test('refuses a file without a checksum', async () => {
    hub.tellsChecksum = false;
    await expect(run()).rejects.toThrow('no checksum, size and commit for us/models/split/v');
  });

  test('a gated model: says where to accept, and gives the token to the hub but not to its storage', async () => {
    hub.token = 'hf_secret';
    await expect(run()).rejects.toThrow(
      new RegExp(`us/models \\(401\\).*${hub.url}/us/models.* --token-parameter or HF_TOKEN$`),
    );
    await run('hf_secret');
    expect(hub.asked.length).toBeGreaterThan(4);
    expect(hub.asked.every(({ storageSaw }) => storageSaw === undefined)).toBe(true);
  });

  test('a path that the hub does not have is named', async () => {
    hub.files.delete('split/l');
    await expect(run()).rejects.toThrow('us/models has no split/l at main');
  });
});

async function* piecesOf(bytes: Buffer) {
  yield bytes;
}
