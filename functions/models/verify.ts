// Checks the bucket against its manifest: by size and recorded checksum, or by reading every byte.

import { createHash } from 'node:crypto';
import type { ModelBucket } from './bucket.ts';
import type { ModelFile } from './manifest.ts';
import { readRange } from './range.ts';

const RANGE = 16 * 1024 * 1024;

export type Finding = 'ok' | 'missing' | 'another size' | 'another SHA-256';

/** @param full reads every byte, which costs traffic outside of the bucket's region */
export async function verifyFile(bucket: ModelBucket, file: ModelFile, full: boolean): Promise<Finding> {
  const found = await bucket.head(file.key);
  if (!found) return 'missing';
  if (found.sizeBytes !== file.sizeBytes) return 'another size';
  if (found.sha256 !== file.sha256) return 'another SHA-256';
  if (!full) return 'ok';
  const hash = createHash('sha256');
  for (let at = 0; at < file.sizeBytes; at += RANGE)
    await readRange(await bucket.link(file.key), [at, Math.min(at + RANGE, file.sizeBytes) - 1], (piece) =>
      hash.update(piece),
    );
  return hash.digest('hex') === file.sha256 ? 'ok' : 'another SHA-256';
}
