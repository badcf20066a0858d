// Files that are put by a link, on the API's own port: straight to the disk, whatever their length. Exactly the file that the
// link was made for, once: what is cut off, longer or of another hash leaves nothing.

import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { problem } from '../api/http/problems.ts';
import type { Readers } from '../api/http/readers.ts';
import { StorageFull } from '../core/disk-full.ts';
import { IDLE_AFTER } from '../core/limits.ts';
import { isUploadLink, type Links } from '../images/folder/links.ts';
import { type Images, IncompleteBody } from '../images/images.ts';
import type { UploadedFile } from '../images/links.ts';
import type { Log } from '../log.ts';

export interface UploadDeps {
  links: Links;
  images: Pick<Images, 'head' | 'putOnce'>;
  /** Of bodies that come at the same time. */
  writers: Readers;
  log: Log;
  /** A body that brings nothing for so long is cut off, ms. */
  idleAfter?: number;
}

/** Links carry no owner. */
const BY_LINK = 'by link';
/** What a browser may send to another origin. */
const FOR_PAGES = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'PUT',
  'Access-Control-Allow-Headers': 'Content-Type',
  'Access-Control-Max-Age': '3600',
};

export const isUpload = ({ url = '' }: IncomingMessage) => isUploadLink(url);

class OtherBytes extends Error {}

export function uploadsBefore(api: RequestListener, deps: UploadDeps): RequestListener {
  const { links, writers, log } = deps;
  return (req, res) => {
    const { url = '', method } = req;
    if (!isUpload(req)) {
      api(req, res);
      return;
    }
    for (const [name, value] of Object.entries(FOR_PAGES)) res.setHeader(name, value);
    if (method === 'OPTIONS') {
      res.writeHead(204).end();
      return;
    }
    const refusal = method === 'PUT' ? refusalOf(req, links.readUpload(url)) : WRONG_METHOD;
    if (Array.isArray(refusal)) {
      refuse(req, res, ...refusal);
      return;
    }
    const slot = writers.take(BY_LINK, () => req.socket.resetAndDestroy());
    if (!slot) {
      refuse(
        req,
        res,
        'unavailable',
        'Too many files are being uploaded at the same time; send this one again',
      );
      return;
    }
    res.once('close', slot.free);
    take(req, refusal, deps, slot.moved).then(
      (outcome) => {
        if (outcome === 'existed') refuse(req, res, 'upload_exists', 'The file was put by this link before');
        else res.writeHead(200).end();
      },
      (error: unknown) => {
        if (res.destroyed) return;
        const said = refusalFor(error);
        if (said[0] === 'internal_error')
          log.warn('image.write_failed', { key: refusal.key, error: String(error) });
        refuse(req, res, ...said);
      },
    );
  };
}

type Refused = [code: Parameters<typeof problem>[0], message: string];

const WRONG_METHOD: Refused = ['method_not_allowed', 'A file is sent to this link by PUT'];

function refusalOf(req: IncomingMessage, file: UploadedFile | { refused: string }): Refused | UploadedFile {
  if ('refused' in file) return ['forbidden', `${file.refused}; POST /api/upload/link gives a new one`];
  const length = Number(req.headers['content-length'] ?? NaN);
  if (length > file.sizeBytes) return ['body_too_large', `This link takes a file of ${file.sizeBytes} bytes`];
  if (length !== file.sizeBytes)
    return ['bad_body', `This link takes a file of ${file.sizeBytes} bytes, with its Content-Length`];
  return file;
}

function refusalFor(error: unknown): Refused {
  if (error instanceof OtherBytes)
    return ['checksum_mismatch', 'These bytes have another SHA-256 than the one that the link was asked for'];
  if (error instanceof IncompleteBody) return ['bad_body', error.message];
  if (error instanceof StorageFull)
    return ['disk_full', 'The disk is full; uploads and jobs that are deleted make room'];
  return ['internal_error', 'The file cannot be stored; the log of the API says why'];
}

async function take(
  req: IncomingMessage,
  { key, sizeBytes, sha256 }: UploadedFile,
  { images, idleAfter = IDLE_AFTER }: UploadDeps,
  moved: () => void,
): Promise<'written' | 'existed'> {
  // Before anything is read: a repetition of what was stored costs nothing.
  if (await images.head(key)) return 'existed';
  const meta = { contentType: 'application/octet-stream', sizeBytes };
  return images.putOnce(key, Readable.from(checked(req, sha256, moved, idleAfter)), meta);
}

/** @throws OtherBytes at the end, before the file has its name */
async function* checked(
  req: IncomingMessage,
  sha256: string,
  moved: () => void,
  idleAfter: number,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const idle = setTimeout(() => req.destroy(new Error('The body brought nothing for too long')), idleAfter);
  try {
    for await (const piece of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      idle.refresh();
      moved();
      hash.update(piece);
      yield piece;
    }
  } finally {
    clearTimeout(idle);
  }
  if (hash.digest('hex') !== sha256) throw new OtherBytes();
}

/** Ms. */
const READ_ON = 10_000;

/** A client that writes all before it reads gets the answer, if that is not too much. */
function refuse(req: IncomingMessage, res: ServerResponse, code: Refused[0], message: string): void {
  const { status, headers, body } = problem(code, message);
  res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
  if (req.complete) return;
  const cut = setTimeout(() => req.socket.destroy(), READ_ON).unref();
  req.once('close', () => clearTimeout(cut)).resume();
}
