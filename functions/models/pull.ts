// Downloads the manifest's models to a GPU host's disk, one after the other over all connections, those that waiting jobs
// need first. It refuses a disk that is too small before the first byte, and skips files that are there.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { byNeed } from './by-need.ts';
import { download, type DownloadDeps, isThere, partOf } from './download.ts';
import { MANIFEST_KEY, type Manifest, type ModelFile, readManifest } from './manifest.ts';
import { ModelsProblem } from './problem.ts';
import { gb } from './size.ts';

export interface PullDeps extends DownloadDeps {
  /** ComfyUI's `models`. */
  directory: string;
  freeBytes(directory: string): Promise<number>;
  /** The model files that each waiting job names, in queue order. */
  namedByWaiting(): Promise<string[][]>;
}

/** Bytes left free for ComfyUI's own files. */
const SPARE = 2e9;
/** The unit of `stat`'s `blocks`, whatever the file system's. */
const BLOCK = 512;

export interface Pulled {
  files: number;
  fetchedBytes: number;
}

/** @throws ModelsProblem */
export async function pullModels(deps: PullDeps): Promise<Pulled> {
  const { bucket, directory } = deps;
  const manifest = readManifest(await bucket.readJson(MANIFEST_KEY), bucket.name);
  await refuseSmallDisk(deps, manifest);
  const stopped = new AbortController();
  const coming: Promise<number>[] = [];
  try {
    for (const file of byNeed(manifest.files, await needed(deps))) {
      const { fetched } = await download(deps, file.key, pathOf(directory, file), file, stopped.signal);
      coming.push(fetched);
    }
    const fetched = await Promise.all(coming);
    return { files: fetched.length, fetchedBytes: fetched.reduce((sum, bytes) => sum + bytes, 0) };
  } catch (error) {
    stopped.abort(new ModelsProblem('the download was cancelled because another model failed'));
    throw error;
  }
}

/** Without a readable table the manifest's order is used. */
async function needed({ namedByWaiting, say }: PullDeps): Promise<string[][]> {
  try {
    return await namedByWaiting();
  } catch (error) {
    say(`The waiting jobs cannot be read (${(error as Error).message}): models come in the manifest's order`);
    return [];
  }
}

const pathOf = (directory: string, file: ModelFile) => join(directory, file.folder, file.filename);

async function refuseSmallDisk({ directory, freeBytes }: PullDeps, { files }: Manifest): Promise<void> {
  let missing = 0;
  for (const file of files) {
    const path = pathOf(directory, file);
    if (await isThere(path, file)) continue;
    const part = await stat(partOf(path, file.sha256)).catch(() => undefined);
    // A partial file has its full size from the start; only its written part has blocks.
    missing += Math.max(0, file.sizeBytes - (part?.blocks ?? 0) * BLOCK);
  }
  const free = await freeBytes(directory);
  if (missing > 0 && missing + SPARE > free)
    throw new ModelsProblem(
      `The models need ${gb(missing + SPARE)} more in ${directory}, and ${gb(free)} are free: use instance types with a larger NVMe disk, or a larger root volume`,
    );
}
