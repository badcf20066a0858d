// What the embedded S3 does not know: an upload in parts, and the hub's token in SSM; and the whole command as a process.

import { CreateBucketCommand, ListMultipartUploadsCommand, type S3Client } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { openBucket } from '../../functions/models/bucket.ts';
import { findParts, type PartList } from '../../functions/models/parts-list.ts';
import { readRange } from '../../functions/models/range.ts';
import { tokenFrom } from '../../functions/models/token.ts';
import { verifyFile } from '../../functions/models/verify.ts';
import { packageRoot } from '../../functions/runtime/workflows.ts';
import { hasMoto, type Moto, startMoto } from '../support/moto.ts';
import { build, startCommand } from '../support/program.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import { partsOf, sha256Of, startStandInHub } from './hub.ts';

const MB = 1024 * 1024;
const region = 'us-east-1';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const env = {
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  MODELS_BUCKET: 'models',
};
const BIG = Buffer.from(Array.from({ length: 12 * MB }, (_, at) => (at * 31) % 253));

describe.skipIf(!hasMoto)(`models on moto${hasMoto ? '' : ' (skipped: no moto_server)'}`, () => {
  let moto: Moto;
  let s3: S3Client;
  let ssm: SSMClient;
  let folder: string;
  beforeAll(async () => {
    [moto, folder] = await Promise.all([startMoto(), mkdtemp(join(tmpdir(), 'seed-')), build()]);
    s3 = createS3Client({ endpoint: moto.url, region, credentials });
    ssm = new SSMClient({ endpoint: moto.url, region, credentials });
    for (const Bucket of ['models', 'broken']) await s3.send(new CreateBucketCommand({ Bucket }));
  }, 90_000);
  afterAll(async () => {
    await moto?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('a large file goes up in parts and comes back as it was', async () => {
    const bucket = openBucket(s3, 'models', 5 * MB);
    const content = { sizeBytes: BIG.length, sha256: sha256Of(BIG) };
    await bucket.upload('big', () => piecesOf(BIG), content);
    expect(await bucket.head('big')).toEqual(content);
    const pieces: Buffer[] = [];
    await readRange(await bucket.link('big'), [5 * MB - 3, 5 * MB + 2], (piece) =>
      pieces.push(Buffer.from(piece)),
    );
    expect(Buffer.concat(pieces)).toEqual(BIG.subarray(5 * MB - 3, 5 * MB + 3));
    const parts = await findParts(bucket, 'big', content);
    expect(parts?.map(({ from, to, sha256 }) => [from, to, sha256])).toEqual(
      [0, 5 * MB, 10 * MB].map((from) => {
        const bytes = BIG.subarray(from, from + 5 * MB);
        return [from, from + bytes.length - 1, sha256Of(bytes)];
      }),
    );
  });

  test('one that turns out to be another leaves neither object nor parts', async () => {
    const bucket = openBucket(s3, 'models', 5 * MB);
    const promised = { sizeBytes: BIG.length, sha256: 'b'.repeat(64) };
    await expect(bucket.upload('wrong', () => piecesOf(BIG), promised)).rejects.toThrow('another SHA-256');
    expect(await bucket.head('wrong')).toBeUndefined();
    const { Uploads: uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'models' }));
    expect(uploads).toEqual([]);
  });

  test(
    'a run that is killed in the middle of a file is gone on with by the next',
    { timeout: 90_000 },
    async () => {
      const part = 16 * MB;
      const bytes = Buffer.alloc(3 * part + 5, 'forty-eight');
      const hub = await startStandInHub({ 'split/long': bytes });
      const proxy = await startCuttingProxy(Number(new URL(moto.url).port));
      const list = join(folder, 'long.json');
      const file = {
        folder: 'vae',
        filename: 'long.safetensors',
        repo: 'us/models',
        revision: 'main',
        path: 'split/long',
      };
      const licence = { name: 'a licence', url: 'https://example.com/licence' };
      await writeFile(list, JSON.stringify({ licence, files: [file] }));
      const start = () =>
        startCommand(
          process.execPath,
          [join(packageRoot(), '.build/models.mjs'), 'seed', '--list', list, '--accept-licence'],
          { ...env, AWS_ENDPOINT_URL_S3: proxy.url, HF_ENDPOINT: hub.url, MODELS_BUCKET: 'broken' },
        );
      const content = { sizeBytes: bytes.length, sha256: sha256Of(bytes) };
      const key = `models/${content.sha256}/long.safetensors`;
      const bucket = openBucket(s3, 'broken');
      try {
        hub.holdsAfter = 2 * part + 1000;
        const first = start();
        while (((await bucket.readJson(`${key}.parts.json`)) as PartList | undefined)?.parts.length !== 2)
          await sleep(50);
        first.signal('SIGKILL');
        await first.ended;

        proxy.seen.length = 0;
        const second = start();
        expect([await second.ended, second.output()]).toEqual([
          0,
          'long.safetensors: fetching 50 MB\nlong.safetensors: resuming at 34 MB, where an earlier run broke off\nlong.safetensors: stored\n1 models, 50 MB, are in s3://broken; hosts that start now take them\n',
        ]);
        const sent = proxy.seen.flatMap((line) => /^PUT .*partNumber=(\d+)/.exec(line)?.[1] ?? []);
        expect(sent).toEqual(['3', '4']);
        expect(hub.asked.at(-1)).toMatchObject({ range: `bytes=${2 * part}-` });
        expect(await bucket.readJson(`${key}.parts.json`)).toEqual({
          v: 1,
          ...content,
          ...partsOf(bytes, part),
        });
        const manifest = { ...file, ...content, key, source: file };
        expect(await verifyFile(bucket, manifest, true)).toBe('ok');
      } finally {
        await Promise.all([hub.close(), proxy.close()]);
      }
    },
  );

  test('the token is read from its parameter, and a missing one is said', async () => {
    await ssm.send(new PutParameterCommand({ Name: '/hub/token', Value: 'hf_x', Type: 'SecureString' }));
    expect(await tokenFrom(ssm, '/hub/token')).toBe('hf_x');
    await expect(tokenFrom(ssm, '/hub/none')).rejects.toThrow(
      'put-parameter --type SecureString --name /hub/none ',
    );
    // Two lines would be repeated by the error of the request that sends them.
    await ssm.send(
      new PutParameterCommand({ Name: '/hub/lines', Value: 'hf_x\nhf_y', Type: 'SecureString' }),
    );
    await expect(tokenFrom(ssm, '/hub/lines')).rejects.toThrow(
      /^There is no SSM parameter \/hub\/lines with a token((?!hf_)[^])*$/,
    );
  });

  test('npm run models: seed, list and verify', { timeout: 60_000 }, async () => {
    const hub = await startStandInHub({ 'split/v': BIG });
    hub.token = 'hf_x';
    const list = join(folder, 'models.json');
    const file = {
      folder: 'vae',
      filename: 'v.safetensors',
      repo: 'us/models',
      revision: 'main',
      path: 'split/v',
    };
    const licence = { name: 'a licence', url: 'https://example.com/licence' };
    await writeFile(list, JSON.stringify({ licence, files: [file] }));
    const models = async (...args: string[]) => {
      const program = startCommand(process.execPath, [join(packageRoot(), '.build/models.mjs'), ...args], {
        ...env,
        AWS_ENDPOINT_URL_S3: moto.url,
        AWS_ENDPOINT_URL_SSM: moto.url,
        HF_ENDPOINT: hub.url,
      });
      return [await program.ended, program.output()];
    };
    try {
      expect(await models('list', '--list', list)).toEqual([0, 'vae/v.safetensors  us/models  not seeded\n']);
      expect(await models('verify')).toEqual([
        1,
        's3://models has no manifest.json: no models were seeded; run npm run models -- seed --bucket models\n',
      ]);
      const seeding = ['seed', '--list', list, '--token-parameter', '/hub/token'];
      expect(await models(...seeding)).toEqual([
        1,
        'These models come under a licence: read and accept it at https://example.com/licence, then run this again with --accept-licence\n',
      ]);
      expect(await models(...seeding, '--accept-licence')).toEqual([
        0,
        'v.safetensors: fetching 13 MB\nv.safetensors: stored\n1 models, 13 MB, are in s3://models; hosts that start now take them\n',
      ]);
      expect(await models('list', '--list', list)).toEqual([
        0,
        'vae/v.safetensors  us/models  seeded, 13 MB\n',
      ]);
      expect(await models('verify', '--full')).toEqual([0, 'vae/v.safetensors  13 MB  ok\n']);
      expect(await models('verify', '--bucket', 'nowhere')).toEqual([
        1,
        'There is no bucket nowhere in this region; check MODELS_BUCKET and AWS_REGION, or deploy the stacks first\n',
      ]);
    } finally {
      await hub.close();
    }
  });
});

async function* piecesOf(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += MB) yield bytes.subarray(at, at + MB);
}
