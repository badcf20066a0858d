// A GPU host's models: from the embedded S3, over connections that break, to a folder; twice, and after a cut.

import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchArchive, storeArchive } from '../../functions/models/archive.ts';
import { type ModelBucket, openBucket } from '../../functions/models/bucket.ts';
import { createPool } from '../../functions/models/pool.ts';
import { partOf } from '../../functions/models/download.ts';
import { keyOf, MANIFEST_KEY } from '../../functions/models/manifest.ts';
import { fetchPart } from '../../functions/models/part.ts';
import { partsKey } from '../../functions/models/parts-list.ts';
import { type PullDeps, pullModels } from '../../functions/models/pull.ts';
import { createS3Client } from '../../functions/images/s3/client.ts';
import { BUCKET, credentials, region, startTestS3 } from '../support/embedded-s3/support.ts';
import { partsOf, sha256Of } from './hub.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';

const KB = 1024;
/** S3 takes none that are so small; of an object that lies there they are what its list says. */
const PART = 32 * KB;
const NUMBERS = Buffer.from(Array.from({ length: 300 * KB }, (_, at) => (at * 7919) % 251));

let s3: Awaited<ReturnType<typeof startTestS3>>;
let proxy: CuttingProxy;
let bucket: ModelBucket;
let directory: string;
let said: string[];
let deps: PullDeps;
beforeEach(async () => {
  s3 = await startTestS3();
  proxy = await startCuttingProxy(s3.port);
  bucket = openBucket(createS3Client({ endpoint: proxy.url, region, credentials }), BUCKET);
  directory = await mkdtemp(join(tmpdir(), 'models-'));
  said = [];
  deps = {
    bucket,
    directory,
    say: (line) => said.push(line),
    freeBytes: () => Promise.resolve(1e12),
    namedByWaiting: () => Promise.resolve([]),
    pool: createPool(
      Array.from({ length: 3 }, () => async (task, signal) => {
        const url = await bucket.link(task.key);
        return fetchPart(task, { url, signal, pause: () => Promise.resolve() });
      }),
    ),
  };
});
afterEach(async () => {
  await proxy.close();
  await s3.stop();
  await rm(directory, { recursive: true, force: true });
});

async function seeded(files: Record<string, Buffer>) {
  const list = [];
  for (const [filename, bytes] of Object.entries(files)) {
    const content = { sizeBytes: bytes.length, sha256: sha256Of(bytes) };
    const { sha256 } = content;
    const key = keyOf({ sha256, filename });
    await overwrite(key, bytes);
    await bucket.putJson(partsKey(key), { v: 1, ...content, ...partsOf(bytes, PART) });
    const source = { repo: 'us/models', revision: 'main', path: filename };
    list.push({ folder: 'vae', filename, sizeBytes: bytes.length, sha256, key, source });
  }
  await bucket.putJson(MANIFEST_KEY, { v: 1, files: list });
  return list;
}
const visible = async () => (await readdir(join(directory, 'vae'))).filter((name) => !name.startsWith('.'));

describe('pull', () => {
  test('brings every file whole, and nothing the second time', async () => {
    await seeded({ 'a.safetensors': NUMBERS, 'b.safetensors': NUMBERS.subarray(1000) });
    expect(await pullModels(deps)).toEqual({ files: 2, fetchedBytes: 2 * NUMBERS.length - 1000 });
    expect((await readFile(join(directory, 'vae', 'a.safetensors'))).equals(NUMBERS)).toBe(true);
    expect(await pullModels(deps)).toEqual({ files: 2, fetchedBytes: 0 });
  });

  test('outlives connections that break in the middle of a range', async () => {
    await seeded({ 'a.safetensors': NUMBERS });
    proxy.cuts = [10_000, 20_000, 0];
    await pullModels(deps);
    expect(proxy.cuts).toEqual([]);
    expect((await readFile(join(directory, 'vae', 'a.safetensors'))).equals(NUMBERS)).toBe(true);
  });

  test('after a run that died fetches the parts that lack or are damaged, and no other', async () => {
    const [file] = await seeded({ 'a.safetensors': NUMBERS });
    const path = join(directory, 'vae', 'a.safetensors');
    await mkdir(join(directory, 'vae'));
    const left = Buffer.from(NUMBERS);
    left.fill(0, 64 * KB, 96 * KB);
    left[200 * KB] = 255;
    await writeFile(partOf(path, file!.sha256), left);
    expect(await pullModels(deps)).toEqual({ files: 1, fetchedBytes: 64 * KB });
    expect(said).toEqual([
      'a.safetensors: checking what an earlier run left of it',
      `a.safetensors: ${236 * KB} bytes were there`,
    ]);
    expect((await readFile(path)).equals(NUMBERS)).toBe(true);
  });

  test('brings what waiting jobs need before the rest, and the rest where they cannot be read', async () => {
    await seeded({ 'a.safetensors': NUMBERS, 'b.safetensors': NUMBERS.subarray(1000) });
    const { pool } = deps;
    const asked: string[] = [];
    deps.pool = {
      run: (task, signal) => {
        asked.push(task.key.slice(-13));
        return pool.run(task, signal);
      },
    };
    deps.namedByWaiting = () => Promise.resolve([['b.safetensors']]);
    await pullModels(deps);
    expect([...new Set(asked)]).toEqual(['b.safetensors', 'a.safetensors']);

    await rm(join(directory, 'vae'), { recursive: true });
    asked.length = 0;
    deps.namedByWaiting = () => Promise.reject(new Error('no table'));
    await pullModels(deps);
    expect([...new Set(asked)]).toEqual(['a.safetensors', 'b.safetensors']);
    expect(said).toEqual(["The waiting jobs cannot be read (no table): models come in the manifest's order"]);
  });

  test('a range that comes damaged is fetched again', async () => {
    await seeded({ 'a.safetensors': NUMBERS });
    proxy.damages = [4000];
    await pullModels(deps);
    expect(proxy.damages).toEqual([]);
    expect((await readFile(join(directory, 'vae', 'a.safetensors'))).equals(NUMBERS)).toBe(true);
  });

  test('an object that is not what it was never gets its name', async () => {
    const [file] = await seeded({ 'a.safetensors': NUMBERS });
    await overwrite(file!.key, Buffer.from(NUMBERS).fill(0, 70 * KB, 71 * KB));
    await expect(pullModels(deps)).rejects.toThrow(
      new RegExp(`^s3://images/${file!.key} .*${64 * KB} to ${96 * KB - 1}.* -- seed --bucket images$`),
    );
    expect(await visible()).toEqual([]);
  });

  test.each([150 * KB, 1000])(
    'a truncated object of %i bytes, and one that is gone, are distinguished',
    async (size) => {
      const [file] = await seeded({ 'a.safetensors': NUMBERS });
      await overwrite(file!.key, NUMBERS.subarray(0, size));
      await expect(pullModels(deps)).rejects.toThrow(
        `s3://images/${file!.key} has ${size} bytes, not ${NUMBERS.length}`,
      );
      expect(await visible()).toEqual([]);
      await s3.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: file!.key }));
      await expect(pullModels(deps)).rejects.toThrow(`s3://images/${file!.key} is gone`);
    },
  );

  test('a file without a list of parts is not fetched', async () => {
    const [file] = await seeded({ 'a.safetensors': NUMBERS });
    await bucket.putJson(partsKey(file!.key), { v: 1, ...file, partBytes: 32 * KB, parts: [] });
    await expect(pullModels(deps)).rejects.toThrow(
      new RegExp(`^s3://images/${file!.key}\\.parts\\.json .* -- seed --bucket images$`),
    );
  });

  test('a bucket that was not seeded, or whose manifest is broken, is said in one sentence', async () => {
    await expect(pullModels(deps)).rejects.toThrow(
      /^s3:\/\/images has no manifest\.json.* -- seed --bucket images$/,
    );
    await bucket.putJson(MANIFEST_KEY, { v: 1, files: [{ folder: '../../etc' }] });
    await expect(pullModels(deps)).rejects.toThrow(/manifest\.json cannot be read \(files\.0\.folder: /);
    await bucket.putJson(MANIFEST_KEY, { v: 2, files: [] });
    await expect(pullModels(deps)).rejects.toThrow(/manifest\.json cannot be read \(v: /);
  });

  test('a disk that is too small is refused before the first byte', async () => {
    await seeded({ 'a.safetensors': NUMBERS });
    const small = { ...deps, freeBytes: () => Promise.resolve(1_500_000_000) };
    await expect(pullModels(small)).rejects.toThrow(new RegExp(`2\\.0 GB more in ${directory}.* 1\\.5 GB `));
    await expect(stat(join(directory, 'vae'))).rejects.toThrow('ENOENT');
    await pullModels(deps);
    expect(await pullModels(small)).toMatchObject({ fetchedBytes: 0 });
  });
});

describe('the archive of the installed ComfyUI', () => {
  test('is stored once and fetched by later hosts', async () => {
    const file = join(directory, 'app.tar.zst');
    expect(await fetchArchive(deps, 'comfyui-0.8.0', file)).toBe('none');
    await writeFile(file, NUMBERS);
    expect(await storeArchive(bucket, 'comfyui-0.8.0', file)).toBe(true);
    expect(await storeArchive(bucket, 'comfyui-0.8.0', file)).toBe(false);
    const copy = join(directory, 'copy.tar.zst');
    expect(await fetchArchive(deps, 'comfyui-0.8.0', copy)).toBe('fetched');
    expect((await readFile(copy)).equals(NUMBERS)).toBe(true);
  });

  test('when damaged is said to be, and can be replaced', async () => {
    const file = join(directory, 'app.tar.zst');
    await writeFile(file, NUMBERS);
    await storeArchive(bucket, 'comfyui-0.8.0', file);
    const { key } = (await bucket.readJson('archives/comfyui-0.8.0.json')) as { key: string };
    await overwrite(key, Buffer.alloc(NUMBERS.length, 1));
    const copy = join(directory, 'copy.tar.zst');
    expect(await fetchArchive(deps, 'comfyui-0.8.0', copy)).toBe('damaged');
    expect(said.at(-1)).toContain(`s3://images/${key} is damaged`);
    expect(await storeArchive(bucket, 'comfyui-0.8.0', file, true)).toBe(true);
    expect(await fetchArchive(deps, 'comfyui-0.8.0', copy)).toBe('fetched');
  });
});

/** Beside the list of its parts. */
const overwrite = (Key: string, Body: Buffer) =>
  s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
