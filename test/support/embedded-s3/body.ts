// The body of a request as a stream of plain bytes, verified to be whole and unchanged.
// Throws at the end of the stream if the body does not match what the request declares.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { notImplemented, S3Error } from './error.ts';

const STREAMING = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const CRC32 = 'x-amz-checksum-crc32';
const MAX_LINE = 1024;

/** Known only at the end of a body. */
export interface Digests {
  sizeBytes: number;
  /** The MD5 in quotes. */
  etag: string;
  /** Base64, as in `x-amz-checksum-crc32`. */
  crc32: string;
}

export type Body = AsyncGenerator<Buffer, Digests, undefined>;

/**
 * Checks x-amz-content-sha256 (`payload`, signed), Content-MD5, the CRC32 in header or trailer, and the length.
 * The connection stays usable after a refusal, because the answer must still be sent on it.
 */
export async function* receive(req: IncomingMessage, payload: string): Body {
  const chunked = payload === STREAMING;
  if (!chunked && payload !== 'UNSIGNED-PAYLOAD' && !/^[0-9a-f]{64}$/.test(payload)) {
    // The current SDK signs no single chunks: it sends a trailer, over http and over https.
    throw notImplemented(`a body signed as ${payload.slice(0, 60)}`);
  }
  const names = [...Object.keys(req.headers), ...trailerNames(req)];
  const foreign = names.find((name) =>
    /^x-amz-checksum-(?!crc32$|sha256$|mode$|type$|algorithm$)/.test(name),
  );
  if (foreign) throw notImplemented(foreign);

  const length = req.headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (chunked && !/^\d+$/.test(String(length))) {
    throw new S3Error(411, 'MissingContentLength', 'x-amz-decoded-content-length is missing.');
  }
  const expected = length === undefined ? undefined : Number(length);
  const source: AsyncIterator<Buffer> = req.iterator({ destroyOnReturn: false });
  const pieces = chunked ? dechunk(source) : plain(source);
  const md5 = createHash('md5');
  const promisedSha256 = req.headers['x-amz-checksum-sha256'];
  const isSigned = !chunked && payload !== 'UNSIGNED-PAYLOAD';
  const sha256 = isSigned || promisedSha256 !== undefined ? createHash('sha256') : undefined;
  let sizeBytes = 0;
  let crc = 0;
  let piece = await pieces.next();
  try {
    for (; !piece.done; piece = await pieces.next()) {
      sizeBytes += piece.value.length;
      if (expected !== undefined && sizeBytes > expected) throw incomplete();
      md5.update(piece.value);
      sha256?.update(piece.value);
      crc = crc32(piece.value, crc);
      yield piece.value;
    }
  } finally {
    // Releases the request, so that the rest of a refused body can be skipped.
    await source.return?.();
  }
  if (expected !== undefined && sizeBytes !== expected) throw incomplete();

  const trailers = piece.value;
  const digest = md5.digest();
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc);
  const found = sum.toString('base64');
  const promised =
    chunked && trailerNames(req).includes(CRC32) ? (trailers.get(CRC32) ?? '') : req.headers[CRC32];
  if (promised !== undefined && promised !== found) {
    throw new S3Error(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
  }
  const contentMd5 = req.headers['content-md5'];
  if (contentMd5 !== undefined && contentMd5 !== digest.toString('base64')) {
    throw new S3Error(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  const hash = sha256?.digest();
  if (promisedSha256 !== undefined && hash!.toString('base64') !== promisedSha256) {
    throw new S3Error(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
  }
  if (isSigned && hash!.toString('hex') !== payload) {
    throw new S3Error(
      400,
      'XAmzContentSHA256Mismatch',
      'x-amz-content-sha256 is not the SHA-256 of the body.',
    );
  }
  return { sizeBytes, etag: `"${digest.toString('hex')}"`, crc32: found };
}

type Pieces = AsyncGenerator<Buffer, Map<string, string>, undefined>;

async function* plain(source: AsyncIterator<Buffer>): Pieces {
  for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  return new Map();
}

/** `aws-chunked`: sizes in hexadecimal, pieces, a last size of 0, then the trailers. */
async function* dechunk(source: AsyncIterator<Buffer>): Pieces {
  let held: Buffer = Buffer.alloc(0);
  async function more(): Promise<void> {
    const next = await source.next();
    if (next.done) throw incomplete();
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
  }
  async function line(): Promise<string> {
    let end = held.indexOf('\r\n');
    for (; end < 0; end = held.indexOf('\r\n')) {
      if (held.length > MAX_LINE) throw malformed();
      await more();
    }
    if (end > MAX_LINE) throw malformed();
    const text = held.toString('latin1', 0, end);
    held = held.subarray(end + 2);
    return text;
  }

  for (;;) {
    const size = await line();
    if (!/^[0-9a-f]{1,8}$/i.test(size)) throw malformed();
    let left = Number.parseInt(size, 16);
    if (left === 0) break;
    while (left > 0) {
      if (held.length === 0) await more();
      const piece = held.subarray(0, left);
      held = held.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
    if ((await line()) !== '') throw malformed();
  }
  const trailers = new Map<string, string>();
  for (let text = await line(); text !== ''; text = await line()) {
    const at = text.indexOf(':');
    if (at < 1 || trailers.size >= 8) throw malformed();
    trailers.set(text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim());
  }
  if (held.length > 0 || !(await source.next()).done) throw malformed();
  return trailers;
}

function trailerNames(req: IncomingMessage): string[] {
  const header = req.headers['x-amz-trailer'];
  return header === undefined
    ? []
    : String(header)
        .toLowerCase()
        .split(',')
        .map((name) => name.trim());
}

const incomplete = () => new S3Error(400, 'IncompleteBody', 'The body is not as long as the request says.');
const malformed = () => new S3Error(400, 'InvalidRequest', 'The aws-chunked body cannot be read.');
