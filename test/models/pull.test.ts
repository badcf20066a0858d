// A GPU host's models: from the embedded S3, over connections that break, to a folder; twice, and after a cut.

import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchArchive, storeArchive } from '../../functions/models/archive.ts';
import { type ModelBucket, openBucket } from '../../functions/models/bucket.ts';
import { download, type DownloadDeps, partOf } from '../../functions/models/download.ts';
import { keyOf, MANIFEST_KEY } from '../../functions/models/manifest.ts';
import { type PullDeps, pullModels } from '../../functions/models/pull.ts';
import { createS3Client } from '../../functions/images/client.ts';
import { BUCKET, credentials, region, startTestS3 } from '../local/embedded-s3-support.ts';
import { sha256Of } from './hub.ts';
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts';

const KB = 1024;
const NUMBERS = Buffer.from(Array.from({ length: 300 * KB }, (_, at) => (at * 7919) % 251));

let s3: Awaited<ReturnType<typeof startTestS3>>;
let proxy: CuttingProxy;
let bucket: ModelBucket;
let directory: string;
let said: string[];
let deps: PullDeps & DownloadDeps;
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
    pause: () => Promise.resolve(),
    freeBytes: () => Promise.resolve(1e12),
    fetchFile: (file, path, signal) => download({ ...deps, signal }, file.key, path, file),
    rangeBytes: 32 * KB,
    parallel: 3,
  };
});
afterEach(async () => {
  await proxy.close();
  await s3.stop();
  await rm(directory, { recursive: true, force: true });
});

async function seeded(files: Record<string, Buffer>, promised: Record<string, string> = {}) {
  const list = [];
  for (const [filename, bytes] of Object.entries(files)) {
    const content = { sizeBytes: bytes.length, sha256: sha256Of(bytes) };
    const sha256 = promised[filename] ?? content.sha256;
    const key = keyOf({ sha256, filename });
    await bucket.upload(key, piecesOf(bytes), content);
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

  test('after a run that died goes on where it stopped', async () => {
    const [file] = await seeded({ 'a.safetensors': NUMBERS });
    const path = join(directory, 'vae', 'a.safetensors');
    await mkdir(join(directory, 'vae'));
    await writeFile(partOf(path, file!.sha256), NUMBERS.subarray(0, 100_000));
    expect(await pullModels(deps)).toEqual({ files: 1, fetchedBytes: NUMBERS.length - 100_000 });
    expect(said).toEqual(['a.safetensors: going on at byte 100000']);
    expect((await readFile(path)).equals(NUMBERS)).toBe(true);
  });

  test('fetches again what was damaged on this disk', async () => {
    const [file] = await seeded({ 'a.safetensors': NUMBERS });
    const path = join(directory, 'vae', 'a.safetensors');
    await mkdir(join(directory, 'vae'));
    await writeFile(partOf(path, file!.sha256), Buffer.alloc(100_000));
    await pullModels(deps);
    expect(said.at(-1)).toBe("a.safetensors: another SHA-256 than the manifest's; fetching it again");
    expect((await readFile(path)).equals(NUMBERS)).toBe(true);
  });

  test('an object that is not what the manifest says never gets its name', async () => {
    await seeded({ 'a.safetensors': NUMBERS }, { 'a.safetensors': 'a'.repeat(64) });
    await expect(pullModels(deps)).rejects.toThrow(
      `s3://images/models/${'a'.repeat(64)}/a.safetensors is not what the manifest says (another SHA-256): delete that object, then run npm run models -- seed --bucket images`,
    );
    expect(await visible()).toEqual([]);
  });

  test('a truncated object, and one that is gone, are told apart', async () => {
    const [file] = await seeded({ 'a.safetensors': NUMBERS });
    const half = NUMBERS.subarray(0, 150 * KB);
    await bucket.upload(file!.key, piecesOf(half), { sizeBytes: half.length, sha256: sha256Of(half) });
    await expect(pullModels(deps)).rejects.toThrow(
      `s3://images/${file!.key} has ${half.length} bytes, not ${NUMBERS.length}: run npm run models -- seed --bucket images`,
    );
    expect(await visible()).toEqual([]);
    const gone = { ...file!, key: 'models/gone' };
    await bucket.putJson(MANIFEST_KEY, { v: 1, files: [gone] });
    await rm(join(directory, 'vae'), { recursive: true });
    await expect(pullModels(deps)).rejects.toThrow(
      's3://images/models/gone is gone, though the manifest names it',
    );
  });

  test('a bucket that was not seeded, or whose manifest is broken, is said in one sentence', async () => {
    await expect(pullModels(deps)).rejects.toThrow(
      's3://images has no manifest.json: no models were seeded; run npm run models -- seed --bucket images',
    );
    await bucket.putJson(MANIFEST_KEY, { v: 1, files: [{ folder: '../../etc' }] });
    await expect(pullModels(deps)).rejects.toThrow(/manifest\.json cannot be read \(files\.0\.folder: /);
    await bucket.putJson(MANIFEST_KEY, { v: 2, files: [] });
    await expect(pullModels(deps)).rejects.toThrow(/manifest\.json cannot be read \(v: /);
  });

  test('a disk that is too small is refused before the first byte', async () => {
    await seeded({ 'a.safetensors': NUMBERS });
    const small = { ...deps, freeBytes: () => Promise.resolve(1_500_000_000) };
    await expect(pullModels(small)).rejects.toThrow(
      `The models need 2.0 GB more in ${directory}, and 1.5 GB are free: use instance types with a larger NVMe disk, or a larger root volume`,
    );
    await expect(stat(join(directory, 'vae'))).rejects.toThrow('ENOENT');
    await pullModels(deps);
    expect(await pullModels(small)).toMatchObject({ fetchedBytes: 0 });
  });
});

describe('the archive of the installed ComfyUI', () => {
  test('is stored once and taken by whoever comes later', async () => {
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
    const other = Buffer.alloc(NUMBERS.length, 1);
    await bucket.upload(key, piecesOf(other), { sizeBytes: other.length, sha256: sha256Of(other) });
    const copy = join(directory, 'copy.tar.zst');
    expect(await fetchArchive(deps, 'comfyui-0.8.0', copy)).toBe('damaged');
    expect(said.at(-1)).toBe(
      `The archive of ComfyUI in s3://images/${key} is damaged: ComfyUI is installed afresh`,
    );
    expect(await storeArchive(bucket, 'comfyui-0.8.0', file, true)).toBe(true);
    expect(await fetchArchive(deps, 'comfyui-0.8.0', copy)).toBe('fetched');
  });
});

async function* piecesOf(bytes: Buffer) {
  yield bytes;
}
