// An output's bytes in memory, for answers that carry files inside them.

import { buffer } from 'node:stream/consumers';
import type { JobOutput, JobState } from '../../core/job.ts';
import { keys } from '../../core/names.ts';
import type { ApiDeps } from '../deps.ts';
import { imageNotFound } from './output-bytes.ts';

/** Undefined: it has more than `maxBytes`. @throws AppError image_not_found */
export async function wholeOutput(
  { servedImages }: Pick<ApiDeps, 'servedImages'>,
  { jobId, attempt }: JobState,
  { filename, sizeBytes }: JobOutput,
  maxBytes: number,
): Promise<Buffer | undefined> {
  if (sizeBytes > maxBytes) return undefined;
  const stored = await servedImages.get(keys.image(jobId, attempt, filename));
  if (!stored || typeof stored !== 'object') throw imageNotFound();
  const { body } = stored;
  return body instanceof Uint8Array ? Buffer.from(body) : buffer(body);
}
