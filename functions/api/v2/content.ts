// GET /api/v2/assets/{id}/content: the bytes, or where S3 has them. Always as a file to save: an upload is what its caller says that
// it is, and a page of this origin must not run it.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { letGo, RangeNotSatisfiable } from '../../images/images.ts';
import type { ApiEnv } from '../deps.ts';
import { originOf } from '../http/link-origin.ts';
import { readAt, tooManyReaders } from '../http/readers.ts';
import { assetNotFound, findAsset, keyOfAsset, nameOfAsset } from './asset-view.ts';
import type { V2Deps } from './deps.ts';

export async function assetContent(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const { servedImages, readers, settings, presigner } = deps;
  const caller = c.get('caller');
  const found = await findAsset(deps, caller, c.req.param('id') ?? '');
  const key = keyOfAsset(found);
  const filename = nameOfAsset(found);
  if (settings.links === 'bucket')
    return c.redirect(await presigner.link({ endpoint: originOf(settings, c), key, filename }), 302);
  const reader = readers.take(caller.owner, () => void c.env?.outgoing?.socket?.resetAndDestroy());
  if (!reader) throw tooManyReaders();
  const stored = await servedImages.get(key, { range: c.req.header('range') }).catch((error: unknown) => {
    reader.free();
    if (!(error instanceof RangeNotSatisfiable)) throw error;
    c.header('Content-Range', `bytes */${error.sizeBytes}`);
    throw new AppError('range_not_satisfiable', `The asset has ${error.sizeBytes} bytes`);
  });
  // An unread body would keep its connection to the bucket.
  const isHead = c.req.method === 'HEAD';
  if (isHead || typeof stored !== 'object') reader.free();
  if (typeof stored !== 'object') throw assetNotFound();
  if (isHead) await letGo(stored);
  const status = stored.partial ? 206 : 200;
  const headers = {
    'Content-Type': stored.contentType,
    'Content-Length': String(stored.contentLength),
    'Content-Disposition': `attachment; filename="${filename.replaceAll(/[^\x20-\x7e]|["\\]/g, '_')}"`,
    ETag: stored.etag,
    'Last-Modified': stored.lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-cache',
    ...(stored.contentRange !== undefined && { 'Content-Range': stored.contentRange }),
  };
  return isHead ? c.body(null, status, headers) : c.body(readAt(stored.body, reader), status, headers);
}
