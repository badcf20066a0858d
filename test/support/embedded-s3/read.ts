// GET and HEAD of an object: ranges, conditions, and the headers that a signed link may override.
// An answer never mixes bytes and headers of two different puts.

import { createReadStream, closeSync, read } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { StoredObject } from './description.ts';
import { CONTENT_HEADERS, refuseHeaders, refuseUnknown, type Call } from './operations.ts';
import { S3Error } from './error.ts';

/** Objects up to this size are read and sent at once; larger ones are streamed. Bytes. */
const SMALL_BYTES = 128 * 1024;
const readFd = promisify(read);

export async function readObject({ req, res, bucket, key, params }: Call): Promise<void> {
  refuseUnknown(
    params,
    CONTENT_HEADERS.map((name) => `response-${name}`),
  );
  refuseHeaders(req, ['if-match', 'if-unmodified-since']);
  const opened = bucket.open(key);
  if (!opened) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
  let { fd, object }: { fd: number | undefined; object: StoredObject } = opened;
  try {
    describe(res, object, params);
    if (isUnchanged(req, object)) {
      res.writeHead(304).end();
      return;
    }
    const range = rangeOf(req, object);
    const { start, end } = range ?? { start: 0, end: object.sizeBytes - 1 };
    if (range) res.setHeader('content-range', `bytes ${start}-${end}/${object.sizeBytes}`);
    else if (req.headers['x-amz-checksum-mode']) res.setHeader('x-amz-checksum-crc32', object.crc32);
    const length = end - start + 1;
    res.writeHead(range ? 206 : 200, { 'content-length': length });
    if (req.method === 'HEAD' || length === 0) {
      res.end();
    } else if (length <= SMALL_BYTES) {
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await readFd(fd, bytes, 0, length, start);
      if (bytesRead < length) throw new Error('short read');
      res.end(bytes);
    } else {
      const file = createReadStream('', { fd, start, end, highWaterMark: 256 * 1024 });
      fd = undefined;
      await pipeline(file, res);
    }
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Sets the headers that describe an object; a signed link may override some. */
function describe(res: ServerResponse, object: StoredObject, params: Map<string, string>): void {
  for (const [name, value] of Object.entries(object.headers)) res.setHeader(name, value);
  for (const name of CONTENT_HEADERS) {
    const override = params.get(`response-${name}`);
    if (override === undefined) continue;
    // oxlint-disable-next-line no-control-regex
    if (/[^\t\x20-\x7e]/.test(override))
      throw new S3Error(400, 'InvalidArgument', `response-${name} is not ASCII.`);
    res.setHeader(name, override);
  }
  res.setHeader('etag', object.etag);
  res.setHeader('last-modified', new Date(object.lastModified).toUTCString());
  res.setHeader('accept-ranges', 'bytes');
  // Links are served from the API's own origin: a browser must not treat an image as a page.
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('access-control-allow-origin', '*');
}

function isUnchanged(req: IncomingMessage, object: StoredObject): boolean {
  const tags = req.headers['if-none-match'];
  if (tags !== undefined) {
    return tags.split(',').some((tag) => ['*', object.etag].includes(tag.trim().replace(/^W\//, '')));
  }
  const since = Date.parse(req.headers['if-modified-since'] ?? '');
  return Math.floor(object.lastModified / 1000) * 1000 <= since;
}

/** Returns undefined for the whole object. Like S3, ignores a range that it cannot read, and several ranges at once. */
function rangeOf(req: IncomingMessage, object: StoredObject): { start: number; end: number } | undefined {
  const range = /^bytes=(\d*)-(\d*)$/.exec(req.headers.range ?? '');
  const ifRange = req.headers['if-range'];
  if (!range || (range[1] === '' && range[2] === '') || (ifRange !== undefined && ifRange !== object.etag))
    return undefined;
  const size = object.sizeBytes;
  const suffix = range[1] === '';
  const start = suffix ? Math.max(0, size - Number(range[2])) : Number(range[1]);
  const end = suffix || range[2] === '' ? size - 1 : Math.min(Number(range[2]), size - 1);
  if (!suffix && range[2] !== '' && Number(range[2]) < start) return undefined;
  if (start > end) {
    throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable', {
      ActualObjectSize: String(size),
    });
  }
  return { start, end };
}
