// Links to images in the workspace's folder, on the API's own port, within the budget of readers (http/readers.ts).

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { problem } from '../api/http/problems.ts';
import { type Readers, tooManyReaders } from '../api/http/readers.ts';
import type { Link, Links } from '../images/folder/links.ts';
import { type Images, letGo, RangeNotSatisfiable } from '../images/images.ts';
import { safetyOf } from '../images/links.ts';
import type { Log } from '../log.ts';

export interface LinkDeps {
  links: Links;
  images: Pick<Images, 'get' | 'head'>;
  readers: Readers;
  log: Log;
}

/** Links carry no owner: all their readers count as one owner, so that they do not take the places of others. */
const BY_LINK = 'by link';

export function linksBefore(
  api: RequestListener,
  { links, images, readers, log }: LinkDeps,
): RequestListener {
  return (req, res) => {
    const url = req.url ?? '';
    if ((req.method !== 'GET' && req.method !== 'HEAD') || !links.isLink(url)) {
      api(req, res);
      return;
    }
    // A browser must not treat an image as a page of this origin; pages of any origin may read one by its link.
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Access-Control-Allow-Origin', '*');
    const link = links.read(url);
    if ('refused' in link) {
      refuse(res, 'forbidden', `${link.refused}; the status of the job has a new one`);
      return;
    }
    const reader = readers.take(BY_LINK, () => req.socket.resetAndDestroy());
    if (!reader) {
      refuse(res, 'too_many_readers', tooManyReaders().message);
      return;
    }
    res.on('drain', reader.moved);
    res.once('close', reader.free);
    answer(req, res, images, link).catch((error: unknown) => {
      // The client has gone, or has received a part that must not look whole.
      if (res.headersSent || res.destroyed) {
        res.destroy();
        return;
      }
      log.warn('image.read_failed', { file: link.key, error: (error as Error).message });
      refuse(res, 'internal_error', 'The image cannot be read; the log of the API says why');
    });
  };
}

async function answer(
  { method, headers }: IncomingMessage,
  res: ServerResponse,
  images: LinkDeps['images'],
  link: Link,
): Promise<void> {
  const ifRange = headers['if-range'];
  // Another image than the one that the client has a part of is sent from its beginning.
  const isOther = ifRange !== undefined && ifRange !== (await images.head(link.key))?.etag;
  const stored = await images
    .get(link.key, { range: isOther ? undefined : headers.range, ifNoneMatch: headers['if-none-match'] })
    .catch((error: unknown) => {
      if (error instanceof RangeNotSatisfiable) return error;
      throw error;
    });
  if (stored instanceof RangeNotSatisfiable) {
    res.setHeader('Content-Range', `bytes */${stored.sizeBytes}`);
    refuse(res, 'range_not_satisfiable', `The image has ${stored.sizeBytes} bytes`);
    return;
  }
  if (stored === undefined) {
    refuse(res, 'image_not_found', 'Image not found');
    return;
  }
  if (stored === 'not-modified') {
    res.writeHead(304).end();
    return;
  }
  const contentType = link.contentType ?? stored.contentType;
  res.writeHead(stored.partial ? 206 : 200, {
    'Content-Type': contentType,
    'Content-Length': stored.contentLength,
    ETag: stored.etag,
    'Last-Modified': stored.lastModified.toUTCString(),
    'Accept-Ranges': 'bytes',
    ...(stored.contentRange !== undefined && { 'Content-Range': stored.contentRange }),
    ...safetyOf(contentType, link.filename),
  });
  if (method === 'HEAD') {
    await letGo(stored);
    res.end();
    return;
  }
  if (stored.body instanceof Uint8Array) res.end(stored.body);
  else await pipeline(Readable.fromWeb(stored.body), res);
}

function refuse(res: ServerResponse, code: Parameters<typeof problem>[0], message: string): void {
  const { status, headers, body } = problem(code, message);
  res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}
