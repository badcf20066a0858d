// The bytes of a job's output, or a part of them; S3 itself has them where too many read, or where they are too large for a Lambda.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { MAX_STREAMED_BYTES } from '../../core/limits.ts';
import { keys } from '../../core/names.ts';
import { safetyOf } from '../../images/links.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { originOf } from './link-origin.ts';
import { linkOfOutput } from './output-link.ts';
import { type Readers, tooManyReaders } from './readers.ts';
import { storedBytes } from './stored-bytes.ts';

interface Found {
  state: JobState;
  output: JobOutput;
}

/** An image's name belongs to one attempt's bytes for ever. */
export const KEPT = { 'Cache-Control': 'private, max-age=31536000, immutable' };

export function imageNotFound(): AppError {
  return new AppError('image_not_found', 'Image not found');
}

/** To a presigned link. */
export async function redirectToOutput(
  deps: Pick<ApiDeps, 'presigner' | 'settings'>,
  c: Context<ApiEnv>,
  { state, output }: Found,
): Promise<Response> {
  return c.redirect(await linkOfOutput(deps, state, output, originOf(deps.settings, c)), 302);
}

/** @throws AppError image_not_found, range_not_satisfiable, too_many_readers */
export async function outputBytes(
  deps: Pick<ApiDeps, 'presigner' | 'settings' | 'servedImages'> & { readers: Readers },
  c: Context<ApiEnv>,
  found: Found,
  asked: { range: string | undefined; ifNoneMatch: string | undefined },
): Promise<Response> {
  const { settings } = deps;
  const { state, output } = found;
  const isTooLarge = settings.links === 'bucket' && output.sizeBytes > MAX_STREAMED_BYTES;
  if (isTooLarge && c.req.method !== 'HEAD') return redirectToOutput(deps, c, found);
  return storedBytes(deps, c, {
    key: keys.image(state.jobId, state.attempt, output.filename),
    asked,
    headers: (contentType) => ({ ...safetyOf(contentType, output.filename), ...KEPT }),
    notFound: imageNotFound,
    full() {
      // S3 itself has places enough.
      if (settings.links === 'bucket') return redirectToOutput(deps, c, found);
      throw tooManyReaders();
    },
  });
}
