// The installed ComfyUI as one archive in the models bucket: the builder stores it, hosts only fetch it. A small pointer
// names the archive by its content and is written last, so that two builders at once do no harm.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import * as z from 'zod';
import type { ModelBucket } from './bucket.ts';
import type { Content } from './parts-list.ts';
import { download, type DownloadDeps } from './download.ts';
import { ModelsProblem } from './problem.ts';

const pointer = z.object({
  v: z.literal(1),
  key: z.string().regex(/^archives\//),
  sizeBytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const NAME = /^[\w.-]{1,100}$/;
const pointerKey = (name: string) => `archives/${name}.json`;

/** `damaged`: reported by `say`; the archive must be made again. @throws what the bucket throws */
export async function fetchArchive(
  deps: DownloadDeps,
  name: string,
  path: string,
): Promise<'fetched' | 'none' | 'damaged'> {
  const found = await find(deps.bucket, name);
  if (!found) return 'none';
  try {
    await (
      await download(deps, found.key, path, found)
    ).fetched;
    return 'fetched';
  } catch (error) {
    if (!(error instanceof ModelsProblem)) throw error;
    deps.say(
      `The archive of ComfyUI in s3://${deps.bucket.name}/${found.key} is damaged: ComfyUI is installed afresh`,
    );
    return 'damaged';
  }
}

/** @param again overwrites an existing one. @returns false: one exists already */
export async function storeArchive(
  bucket: ModelBucket,
  name: string,
  path: string,
  again = false,
): Promise<boolean> {
  if (!again && (await find(bucket, name))) return false;
  const content = await contentOf(path);
  const key = `archives/${name}-${content.sha256.slice(0, 16)}.tar.zst`;
  await bucket.upload(
    key,
    (start) => createReadStream(path, { start, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>,
    content,
  );
  await bucket.putJson(pointerKey(name), { v: 1, key, ...content });
  return true;
}

async function find(bucket: ModelBucket, name: string) {
  if (!NAME.test(name))
    throw new ModelsProblem(`An archive's name has letters, digits, dots and dashes; it is "${name}"`);
  const json = await bucket.readJson(pointerKey(name));
  if (json === undefined) return undefined;
  const parsed = pointer.safeParse(json);
  if (!parsed.success)
    throw new ModelsProblem(`s3://${bucket.name}/${pointerKey(name)} cannot be read; delete it`);
  return parsed.data;
}

async function contentOf(path: string): Promise<Content> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(piece as Buffer);
  return { sizeBytes: (await stat(path)).size, sha256: hash.digest('hex') };
}
