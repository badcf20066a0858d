// The bytes of a job's output, or a part of them; S3 itself has them where too many read, or where they are too large for a Lambda.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { MAX_STREAMED_BYTES } from '../../core/limits.ts';
import { keys } from '../../core/names.ts';
import { letGo, RangeNotSatisfiable } from '../../images/images.ts';
import { safetyOf, servedType } from '../../images/links.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { originOf } from './link-origin.ts';
import { readAt, type Readers, tooManyReaders } from './readers.ts';

interface Found {
  state: JobState;
  output: JobOutput;
}

export function imageNotFound(): AppError {
  return new AppError('image_not_found', 'Image not found');
}

/** To a presigned link. */
export async function redirectToOutput(
  { presigner, settings }: Pick<ApiDeps, 'presigner' | 'settings'>,
  c: Context<ApiEnv>,
  { state, output: { filename, contentType } }: Found,
): Promise<Response> {
  const url = await presigner.link({
    endpoint: originOf(settings, c),
    key: keys.image(state.jobId, state.attempt, filename),
    filename,
    contentType: servedType(contentType),
  });
  return c.redirect(url, 302);
}

/** @throws AppError image_not_found, range_not_satisfiable, too_many_readers */
export async function outputBytes(
  deps: Pick<ApiDeps, 'presigner' | 'settings' | 'servedImages'> & { readers: Readers },
  c: Context<ApiEnv>,
  found: Found,
  asked: { range: string | undefined; ifNoneMatch: string | undefined },
): Promise<Response> {
  const { servedImages, readers, settings } = deps;
  const { state, output } = found;
  const head = c.req.method === 'HEAD';
  const isTooLarge = settings.links === 'bucket' && output.sizeBytes > MAX_STREAMED_BYTES && !head;
  if (isTooLarge) return redirectToOutput(deps, c, found);
  const cut = () => void c.env?.outgoing?.socket?.resetAndDestroy();
  const reader = readers.take(c.get('caller').owner, cut);
  if (!reader) {
    // S3 itself has places enough.
    if (settings.links === 'bucket') return redirectToOutput(deps, c, found);
    throw tooManyReaders();
  }
  const stored = await servedImages
    .get(keys.image(state.jobId, state.attempt, output.filename), asked)
    .catch((error: unknown) => {
      reader.free();
      if (!(error instanceof RangeNotSatisfiable)) throw error;
      c.header('Content-Range', `bytes */${error.sizeBytes}`);
      throw new AppError('range_not_satisfiable', `The image has ${error.sizeBytes} bytes`);
    });
  // Hono answers HEAD with the head of a GET; an unread body would keep its connection to the bucket.
  if (head || typeof stored !== 'object') reader.free();
  if (stored === 'not-modified') return c.body(null, 304);
  if (!stored) throw imageNotFound();
  if (head) await letGo(stored);
  const status = stored.partial ? 206 : 200;
  const headers = {
    'Content-Type': stored.contentType,
    'Content-Length': String(stored.contentLength),
    ...safetyOf(stored.contentType, output.filename),
    ETag: stored.etag,
    'Last-Modified': stored.lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
    // An image's name belongs to one attempt's bytes for ever.
    'Cache-Control': 'private, max-age=31536000, immutable',
    ...(stored.contentRange !== undefined && { 'Content-Range': stored.contentRange }),
  };
  return head ? c.body(null, status, headers) : c.body(readAt(stored.body, reader), status, headers);
}
