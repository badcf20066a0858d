// Takes over the images of release 0.1, whose embedded S3 kept them in one folder of the workspace: `s3/images/<40 hex>-name`.
// A file's layout has stayed the same, so it gets a second name here; the old names stay where they are.

import { createHash, randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDescription } from './description.ts';
import { isMissing, isUnreadable } from './errors.ts';
import { bytesOfKey, placeOf } from './names.ts';
import { createSyncing } from './sync.ts';

const OLD_NAME = /^[0-9a-f]{40}-/;
const TOGETHER = 16;

/**
 * Before anything else uses the folder. It may be killed at any moment and is repeated by the next start.
 * @param from the old folder; @param root the folder of images
 * @returns how many images were taken over; undefined: there were none, or an earlier start has finished
 */
export async function takeOverImages(from: string, root: string): Promise<number | undefined> {
  const done = join(root, '.taken-over');
  if (await stat(done).catch(unlessMissing)) return undefined;
  const names = (await readdir(from).catch(unlessMissing))?.filter((name) => OLD_NAME.test(name));
  if (names === undefined) return undefined;

  const incoming = join(root, '.incoming');
  await mkdir(incoming, { recursive: true });
  const folders = new Set<string>();
  let count = 0;
  async function takeOver(name: string): Promise<void> {
    const old = join(from, name);
    const key = await keyIn(old, name);
    if (key === undefined) return;
    const place = placeOf(bytesOfKey(key));
    const folder = join(root, ...place.folders);
    if (!folders.has(folder)) await mkdir(folder, { recursive: true });
    folders.add(folder);
    await giveName(old, join(folder, place.name), incoming);
    count += 1;
  }
  await inBatches(names, takeOver);
  const syncing = createSyncing(root);
  await inBatches([...folders], (folder) => syncing.settle(folder));
  // Only now: what it says must be on the disk.
  await writeFile(done, '', { flush: true });
  await syncing.settle(root);
  return count;
}

/** Undefined: torn, unreadable, or not the file of an image; the former release would not have shown it. */
async function keyIn(path: string, name: string): Promise<string | undefined> {
  const file = await open(path).catch((error: unknown) => {
    if (!isMissing(error) && !isUnreadable(error)) throw error;
  });
  if (!file) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return undefined;
    const key = (await readDescription(file, stats.size))?.description.key;
    const digest = key === undefined ? '' : createHash('sha256').update(key).digest('hex').slice(0, 40);
    return name.startsWith(`${digest}-`) ? key : undefined;
  } finally {
    await file.close();
  }
}

async function giveName(old: string, path: string, incoming: string): Promise<void> {
  try {
    await link(old, path);
    return;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // A run that was killed has come so far.
    if (code === 'EEXIST') return;
    // The file system has no links, or the old folder is on another one.
    if (!['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error;
  }
  const temporary = join(incoming, randomBytes(12).toString('hex'));
  try {
    await copyFile(old, temporary);
    const copied = await open(temporary, 'r+');
    await copied.datasync().finally(() => copied.close());
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += TOGETHER)
    await Promise.all(items.slice(start, start + TOGETHER).map(work));
}

function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
