// Brings the models of the manifest to a GPU host's disk, all at once. It refuses a disk that is too small before the
// first byte, and leaves alone what is there already.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, partOf } from './download.ts';
import type { ModelBucket } from './bucket.ts';
import { MANIFEST_KEY, type Manifest, type ModelFile, readManifest } from './manifest.ts';
import { ModelsProblem } from './problem.ts';
import { gb } from './size.ts';

export interface PullDeps {
  bucket: ModelBucket;
  /** ComfyUI's `models`. */
  directory: string;
  freeBytes(directory: string): Promise<number>;
  /** One file, as `download` does it. @returns the bytes that were fetched */
  fetchFile(file: ModelFile, path: string, signal: AbortSignal): Promise<number>;
}

/** What the disk keeps for what ComfyUI writes. */
const SPARE = 2e9;

export interface Pulled {
  files: number;
  fetchedBytes: number;
}

/** @throws ModelsProblem */
export async function pullModels(deps: PullDeps): Promise<Pulled> {
  const { bucket, directory, fetchFile } = deps;
  const manifest = readManifest(await bucket.readJson(MANIFEST_KEY), bucket.name);
  await refuseSmallDisk(deps, manifest);
  const stopped = new AbortController();
  const fetched = await Promise.all(
    manifest.files.map(async (file) => {
      try {
        return await fetchFile(file, pathOf(directory, file), stopped.signal);
      } catch (error) {
        stopped.abort();
        throw error;
      }
    }),
  );
  return { files: fetched.length, fetchedBytes: fetched.reduce((sum, bytes) => sum + bytes, 0) };
}

const pathOf = (directory: string, file: ModelFile) => join(directory, file.folder, file.filename);

async function refuseSmallDisk({ directory, freeBytes }: PullDeps, { files }: Manifest): Promise<void> {
  let missing = 0;
  for (const file of files) {
    const path = pathOf(directory, file);
    if (await isThere(path, file)) continue;
    const part = await stat(partOf(path, file.sha256)).catch(() => undefined);
    missing += file.sizeBytes - (part?.size ?? 0);
  }
  const free = await freeBytes(directory);
  if (missing > 0 && missing + SPARE > free)
    throw new ModelsProblem(
      `The models need ${gb(missing + SPARE)} more in ${directory}, and ${gb(free)} are free: use instance types with a larger NVMe disk, or a larger root volume`,
    );
}
