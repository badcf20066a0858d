// The bytes of something stored, whole or in part (Range), as one of an owner's readers.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { type Images, letGo, RangeNotSatisfiable } from '../../images/images.ts';
import type { ApiEnv } from '../deps.ts';
import { readAt, type Readers } from './readers.ts';

export interface StoredBytes {
  key: string;
  asked: { range: string | undefined; ifNoneMatch?: string | undefined };
  /** Of the answer, beside what describes the bytes. */
  headers(contentType: string): Record<string, string>;
  notFound(): Error;
  /** Where too many read. */
  full(): Response | Promise<Response>;
}

/** @throws AppError range_not_satisfiable, and what `notFound` says */
export async function storedBytes(
  { servedImages, readers }: { servedImages: Pick<Images, 'get'>; readers: Readers },
  c: Context<ApiEnv>,
  { key, asked, headers: headersOf, notFound, full }: StoredBytes,
): Promise<Response> {
  const reader = readers.take(c.get('caller').owner, () => void c.env?.outgoing?.socket?.resetAndDestroy());
  if (!reader) return full();
  const stored = await servedImages.get(key, asked).catch((error: unknown) => {
    reader.free();
    if (!(error instanceof RangeNotSatisfiable)) throw error;
    c.header('Content-Range', `bytes */${error.sizeBytes}`);
    throw new AppError('range_not_satisfiable', `It has ${error.sizeBytes} bytes`);
  });
  const head = c.req.method === 'HEAD';
  // Hono answers HEAD with the head of a GET; an unread body would keep its connection to the bucket.
  if (head || typeof stored !== 'object') reader.free();
  if (stored === 'not-modified') return c.body(null, 304);
  if (!stored) throw notFound();
  if (head) await letGo(stored);
  const status = stored.partial ? 206 : 200;
  const headers = {
    'Content-Type': stored.contentType,
    'Content-Length': String(stored.contentLength),
    ETag: stored.etag,
    'Last-Modified': stored.lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
    ...(stored.contentRange !== undefined && { 'Content-Range': stored.contentRange }),
    ...headersOf(stored.contentType),
  };
  return head ? c.body(null, status, headers) : c.body(readAt(stored.body, reader), status, headers);
}
