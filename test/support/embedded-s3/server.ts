// A small S3 over a folder, for tests and measurements of what runs on S3: signatures and checksums are verified.
// Unknown operations and parameters are refused with NotImplemented, never ignored.

import { mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CONNECTION_LIMITS } from '../../../functions/runtime/listen.ts';
import { cutStalled } from '../../../functions/runtime/stalled.ts';
import { openBucket, type Bucket } from './files.ts';
import { deleteBatch, deleteObject, listObjects, putObject, type Call } from './operations.ts';
import { readObject } from './read.ts';
import { createVerifier, decode, targetOf, type Credentials, type Target } from './signature.ts';
import { notImplemented, S3Error } from './error.ts';
import { errorXml } from './xml.ts';

const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const MAX_KEY_BYTES = 1024;

export interface EmbeddedS3Options {
  /** Used by one process only. Created if missing. */
  directory: string;
  buckets: string[];
  credentials: Credentials;
  region?: string;
  now?: () => number;
  port?: number;
}

export interface EmbeddedS3 {
  url: string;
  port: number;
  close(): Promise<void>;
}

export async function startEmbeddedS3(options: EmbeddedS3Options): Promise<EmbeddedS3> {
  const { directory, credentials, region = 'us-east-1', now = Date.now } = options;
  const incoming = join(directory, '.incoming');
  // Files that a killed process left half written.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const buckets = new Map<string, Bucket>();
  for (const name of options.buckets) {
    if (!BUCKET_NAME.test(name)) throw new TypeError(`Not a bucket name: ${name}`);
    buckets.set(name, await openBucket(join(directory, name), incoming));
  }
  const verify = createVerifier({ credentials, region, now });

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const target = targetOf(req);
    const payload = verify(req, target);
    const [, bucketName, key] = /^\/([^/]*)(?:\/([^]*))?$/.exec(decode(target.path)) ?? [];
    if (!bucketName) throw notImplemented('a list of buckets');
    const bucket = buckets.get(bucketName);
    if (!bucket) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist.');
    if (Buffer.byteLength(key ?? '') > MAX_KEY_BYTES) {
      throw new S3Error(400, 'KeyTooLongError', 'Your key is too long.');
    }
    const call: Call = {
      req,
      res,
      bucketName,
      bucket,
      key: key ?? '',
      payload,
      params: paramsOf(target),
      now,
    };
    await operationOf(call)(call);
  }

  const server = createServer((req, res) => {
    res.setHeader('date', new Date(now()).toUTCString());
    // It takes Node's request: a signature covers the path as sent, which a `Request` normalises.
    serve(req, res).catch((error: unknown) => refuse(req, res, error));
  });
  // Longer than a client keeps an idle connection, because the SDK cannot retry a streamed body. Ms.
  server.keepAliveTimeout = 120_000;
  cutStalled(server, CONNECTION_LIMITS.writeTimeout, CONNECTION_LIMITS.connectionsCheckingInterval);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function operationOf({ req, key, params }: Call): (call: Call) => Promise<void> {
  if (key === '') {
    if (req.method === 'GET' && params.get('list-type') === '2') return listObjects;
    if (req.method === 'POST' && params.has('delete')) return deleteBatch;
    // Buckets are named at the start; creating one of them again is no error.
    if ((req.method === 'PUT' || req.method === 'HEAD') && params.size === 0) return answerEmpty;
  } else {
    if (req.method === 'GET' || req.method === 'HEAD') return readObject;
    if (req.method === 'PUT') return putObject;
    if (req.method === 'DELETE') return deleteObject;
  }
  throw notImplemented(`${req.method} with ${[...params.keys()].join(', ') || 'these parameters'}`);
}

function answerEmpty({ res }: Call): Promise<void> {
  res.end();
  return Promise.resolve();
}

/** The query parameters without those that only sign the request. */
function paramsOf(target: Target): Map<string, string> {
  const params = new Map<string, string>();
  for (const [rawName, value] of target.query) {
    const name = decode(rawName);
    if (/^x-amz-/i.test(name) || name === 'x-id') continue;
    if (params.has(name)) throw new S3Error(400, 'InvalidArgument', `${name} is given twice.`);
    params.set(name, decode(value));
  }
  return params;
}

function refuse(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  // The client is gone, or has received half an answer that must not look whole.
  if (res.headersSent || res.destroyed || req.errored) {
    res.destroy();
    return;
  }
  const reason = (error as NodeJS.ErrnoException).code ?? 'a fault in the embedded S3';
  const known = error instanceof S3Error ? error : new S3Error(500, 'InternalError', `Failed: ${reason}`);
  const xml = errorXml(known);
  for (const name of res.getHeaderNames()) if (name !== 'date') res.removeHeader(name);
  res.writeHead(known.status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(xml),
  });
  res.end(req.method === 'HEAD' ? undefined : xml);
  // Reads and drops the rest of a refused body, so that the connection can be reused.
  req.resume();
}
