// A form with a large file: its fields, and the file, which is written to the disk and hashed while it comes, so that it takes no
// memory. What is small and read at once: multipart.ts.

import type { BusboyConstructor, BusboyInstance } from '@fastify/busboy';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { isDiskFull, StorageFull } from '../../core/disk-full.ts';
import { AppError } from '../../core/errors.ts';
import { MEDIA_HEAD } from '../../images/media-type.ts';

/** What multipart puts around a file, and the fields beside it. */
export const FORM_OVERHEAD = 64 * 1024;
const LIMITS = { files: 1, fields: 32, parts: 40, fieldSize: 4096, fieldNameSize: 200, headerPairs: 50 };

export interface FileForm extends FileBytes {
  /** The last of those with one name. */
  fields: ReadonlyMap<string, string>;
  /** As the client called it; empty: it did not. */
  filename: string;
}

export interface FileBytes {
  /** Its first bytes, by which its type is known. */
  head: Uint8Array;
  sizeBytes: number;
  /** Hex. */
  blake3: string;
  sha256: string;
  /** The bytes, from the disk; each call begins anew. */
  open(): Readable;
}

/** What a form must be, and how it is refused. */
export interface FileFormRules {
  /** Of the file. */
  field: string;
  maxBytes: number;
  tooLarge(): never;
  unreadable(why: string): Error;
}

/** Runs `work` with the form; its file is gone afterwards. @throws AppError, StorageFull, what `rules` say, what `work` throws */
export async function withFileForm<T>(
  request: Request,
  rules: FileFormRules,
  work: (form: FileForm) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'upload-'));
  try {
    const path = join(folder, 'file');
    const form = await readForm(request, path, rules).catch((error: unknown) => {
      throw isDiskFull(error) ? new StorageFull({ cause: error }) : error;
    });
    return await work({ ...form, open: () => createReadStream(path) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readForm(
  request: Request,
  path: string,
  { field, maxBytes, tooLarge, unreadable }: FileFormRules,
): Promise<Omit<FileForm, 'open'>> {
  const noFile = () => unreadable(`Send the bytes in the field "${field}", as a file`);
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\b/i.test(type))
    throw new AppError('unsupported_media_type', 'Send the file as multipart/form-data');
  const { body } = request;
  if (!body) throw noFile();
  const [{ default: Busboy }, { createBLAKE3 }] = await Promise.all([
    import('@fastify/busboy'),
    import('hash-wasm'),
  ]);
  const [blake3, sha256] = [await createBLAKE3(), createHash('sha256')];
  const fields = new Map<string, string>();
  let filename = '';
  let head = Buffer.alloc(0);
  let sizeBytes = 0;
  let isLarge = false;
  let written: Promise<void> | undefined;
  const unwritten = new AbortController();
  const hashing = new Transform({
    transform(piece: Buffer, _, done) {
      sizeBytes += piece.length;
      // The rest is read and dropped: a client that writes all before it reads gets the answer.
      if (sizeBytes > maxBytes) isLarge = true;
      if (isLarge) return done();
      if (head.length < MEDIA_HEAD) head = Buffer.concat([head, piece]).subarray(0, MEDIA_HEAD);
      blake3.update(piece);
      sha256.update(piece);
      done(null, piece);
    },
  });
  const form = openForm(Busboy, type, field, unreadable);
  form.on('field', (name, value) => fields.set(name, value));
  form.on('file', (name, stream, given) => {
    if (name !== field) {
      stream.resume();
      return;
    }
    filename = given ?? '';
    written = pipeline(stream, hashing, createWriteStream(path));
    // Nothing reads on then: what comes would wait for ever.
    written.catch((error: unknown) => unwritten.abort(error));
  });
  try {
    await pipeline(Readable.fromWeb(body as ReadableStream<Uint8Array>), form, { signal: unwritten.signal });
  } catch (error) {
    if (unwritten.signal.aborted) throw unwritten.signal.reason;
    // The client is gone, or what it sent is no form.
    if (request.signal.aborted || (error as { code?: string }).code === 'ECONNRESET') throw error;
    throw unreadable(`This form cannot be read: ${(error as Error).message}`);
  }
  if (!written) throw noFile();
  await written;
  if (isLarge) tooLarge();
  return { fields, filename, head, sizeBytes, blake3: blake3.digest('hex'), sha256: sha256.digest('hex') };
}

function openForm(
  Busboy: BusboyConstructor,
  type: string,
  field: string,
  unreadable: FileFormRules['unreadable'],
): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': type },
      limits: LIMITS,
      preservePath: true,
      isPartAFile: (name) => name === field,
    });
  } catch (error) {
    throw unreadable(`This form cannot be read: ${(error as Error).message}`);
  }
}
