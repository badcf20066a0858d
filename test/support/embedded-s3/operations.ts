// Operations on a bucket, one function each: put, delete, list (reads: read.ts).
// The caller's signature is verified before; files.ts stores the bytes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createReadStream } from 'node:fs';
import { type Body, receive } from './body.ts';
import type { Bucket } from './files.ts';
import { notImplemented, S3Error } from './error.ts';
import { copiedXml, deletedXml, listXml, parseDelete } from './xml.ts';

export interface Call {
  req: IncomingMessage;
  res: ServerResponse;
  bucketName: string;
  bucket: Bucket;
  key: string;
  /** x-amz-content-sha256, which is signed. */
  payload: string;
  params: Map<string, string>;
  now: () => number;
}

export const CONTENT_HEADERS = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
];
const MAX_METADATA_BYTES = 2048;
const MAX_XML_BYTES = 2 * 1024 * 1024;

export async function putObject(call: Call): Promise<void> {
  const { req, res, bucket, key, payload, params, now } = call;
  refuseUnknown(params, []);
  refuseHeaders(req, ['if-match', 'x-amz-server-side-encryption-customer-algorithm']);
  if (req.headers['x-amz-copy-source'] !== undefined) return copyOntoItself(call);
  const ifAbsent = req.headers['if-none-match'] !== undefined;
  if (ifAbsent && req.headers['if-none-match'] !== '*') throw notImplemented('If-None-Match other than *');
  if (
    req.headers['content-length'] === undefined &&
    req.headers['x-amz-decoded-content-length'] === undefined
  ) {
    throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const headers = keptHeaders(req);
  if (ifAbsent && bucket.find(key)) throw exists();
  const object = await bucket.put(key, receive(req, payload), { headers, now, ifAbsent });
  if (!object) throw exists();
  res.setHeader('etag', object.etag);
  res.setHeader('x-amz-checksum-crc32', object.crc32);
  res.end();
}

/** CopyObject, as far as it makes an object young again. */
async function copyOntoItself({ req, res, bucketName, bucket, key, now }: Call): Promise<void> {
  const source = decodeURIComponent(String(req.headers['x-amz-copy-source'])).replace(/^\//, '');
  if (source !== `${bucketName}/${key}` || req.headers['x-amz-metadata-directive'] !== 'REPLACE')
    throw notImplemented('a copy of another object');
  const opened = bucket.open(key);
  if (!opened) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
  const { sizeBytes, etag, crc32 } = opened.object;
  const body = async function* (): Body {
    if (sizeBytes > 0) yield* createReadStream('', { fd: opened.fd, start: 0, end: sizeBytes - 1 });
    return { sizeBytes, etag, crc32 };
  };
  await bucket.put(key, body(), { headers: keptHeaders(req), now, ifAbsent: false });
  sendXml(res, copiedXml(etag, new Date(now())));
}

export function deleteObject({ res, bucket, key, params }: Call): Promise<void> {
  refuseUnknown(params, []);
  bucket.remove(key);
  res.writeHead(204).end();
  return Promise.resolve();
}

export async function deleteBatch({ req, res, bucket, payload, params }: Call): Promise<void> {
  refuseUnknown(params, ['delete']);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of receive(req, payload)) {
    bytes += piece.length;
    if (bytes > MAX_XML_BYTES) throw new S3Error(400, 'MalformedXML', 'The list of keys is too long.');
    pieces.push(piece);
  }
  const { keys, quiet } = parseDelete(Buffer.concat(pieces).toString());
  for (const key of keys) bucket.remove(key);
  sendXml(res, deletedXml(quiet ? [] : keys));
}

export function listObjects({ res, bucket, bucketName, params }: Call): Promise<void> {
  refuseUnknown(params, ['list-type', 'prefix', 'continuation-token', 'start-after', 'max-keys']);
  const asked = params.get('max-keys') ?? '1000';
  if (!/^\d{1,9}$/.test(asked)) throw new S3Error(400, 'InvalidArgument', 'max-keys must be a number.');
  const maxKeys = Math.min(Number(asked), 1000);
  const prefix = params.get('prefix') ?? '';
  const token = params.get('continuation-token');
  const after = token === undefined ? params.get('start-after') : Buffer.from(token, 'base64url').toString();
  const { objects, more } = bucket.list(prefix, after, maxKeys);
  const last = objects.at(-1);
  const next = more && last ? Buffer.from(last.key).toString('base64url') : undefined;
  sendXml(res, listXml({ bucket: bucketName, prefix, maxKeys, objects, next }));
  return Promise.resolve();
}

function keptHeaders(req: IncomingMessage): Record<string, string> {
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  let metadata = 0;
  for (const [name, value] of Object.entries(req.headers)) {
    if (typeof value !== 'string') continue;
    if (name.startsWith('x-amz-meta-')) metadata += name.length - 'x-amz-meta-'.length + value.length;
    else if (!CONTENT_HEADERS.includes(name)) continue;
    kept[name] = value;
  }
  if (metadata > MAX_METADATA_BYTES)
    throw new S3Error(400, 'MetadataTooLarge', 'Metadata may have 2 KB at most.');
  // aws-chunked encodes the transfer, not the object.
  const encodings = (kept['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim());
  kept['content-encoding'] = encodings
    .filter((encoding) => encoding !== '' && encoding !== 'aws-chunked')
    .join(',');
  if (!kept['content-encoding']) delete kept['content-encoding'];
  return kept;
}

export function refuseUnknown(params: Map<string, string>, known: string[]): void {
  for (const name of params.keys()) if (!known.includes(name)) throw notImplemented(`the parameter ${name}`);
}

export function refuseHeaders(req: IncomingMessage, names: string[]): void {
  for (const name of names) if (req.headers[name] !== undefined) throw notImplemented(`the header ${name}`);
}

function sendXml(res: ServerResponse, xml: string): void {
  res.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) });
  res.end(xml);
}

const exists = () =>
  new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions did not hold.');
