// An output's bytes in memory, for answers that carry files inside them.

import { buffer } from 'node:stream/consumers';
import type { JobOutput, JobState } from '../../core/job.ts';
import { keys } from '../../core/names.ts';
import { letGo } from '../../images/images.ts';
import type { ApiDeps } from '../deps.ts';
import { imageNotFound } from './output-bytes.ts';

/** Undefined: it has more than `maxBytes`. @throws AppError image_not_found */
export async function wholeOutput(
  deps: Pick<ApiDeps, 'servedImages'>,
  { jobId, attempt }: JobState,
  { filename, sizeBytes }: JobOutput,
  maxBytes: number,
): Promise<Buffer | undefined> {
  return sizeBytes > maxBytes ? undefined : wholeFile(deps, keys.image(jobId, attempt, filename), maxBytes);
}

/** Undefined: it has more than `maxBytes`. @throws AppError image_not_found */
export async function wholeFile(
  { servedImages }: Pick<ApiDeps, 'servedImages'>,
  key: string,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const stored = await servedImages.get(key);
  if (!stored || typeof stored !== 'object') throw imageNotFound();
  if (stored.contentLength > maxBytes) {
    await letGo(stored);
    return undefined;
  }
  const { body } = stored;
  return body instanceof Uint8Array ? Buffer.from(body) : buffer(body);
}
