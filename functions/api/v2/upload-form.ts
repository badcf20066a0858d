// The form of an asset: its fields, and its file, which is written to the disk and hashed while it comes, so that a large one takes
// no memory. Clients send the fields before the file.

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
import { V2Error } from './errors.ts';

const LIMITS = { files: 1, fields: 32, parts: 40, fieldSize: 4096, fieldNameSize: 200, headerPairs: 50 };

export interface AssetForm {
  /** The last of those with one name. */
  fields: ReadonlyMap<string, string>;
  sizeBytes: number;
  /** Hex. */
  blake3: string;
  sha256: string;
  /** The bytes, from the disk; each call begins anew. */
  open(): Readable;
}

/** Runs `work` with the form; its file is gone afterwards. @throws V2Error, AppError, StorageFull, what `work` throws */
export async function withAssetForm<T>(
  request: Request,
  maxBytes: number,
  tooLarge: () => never,
  work: (form: AssetForm) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'asset-'));
  try {
    const path = join(folder, 'file');
    const form = await readForm(request, path, maxBytes, tooLarge).catch((error: unknown) => {
      throw isDiskFull(error) ? new StorageFull({ cause: error }) : error;
    });
    return await work({ ...form, open: () => createReadStream(path) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const unreadable = (why: string) => new V2Error(422, 'invalid_request', why);

async function readForm(
  request: Request,
  path: string,
  maxBytes: number,
  tooLarge: () => never,
): Promise<Omit<AssetForm, 'open'>> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\b/i.test(type))
    throw new AppError('unsupported_media_type', 'Send the asset as multipart/form-data');
  const { body } = request;
  if (!body) throw unreadable('Send the bytes in the field "file", as a file');
  const [{ default: Busboy }, { createBLAKE3 }] = await Promise.all([
    import('@fastify/busboy'),
    import('hash-wasm'),
  ]);
  const [blake3, sha256] = [await createBLAKE3(), createHash('sha256')];
  const fields = new Map<string, string>();
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
      blake3.update(piece);
      sha256.update(piece);
      done(null, piece);
    },
  });
  const form = openForm(Busboy, type);
  form.on('field', (name, value) => fields.set(name, value));
  form.on('file', (name, stream) => {
    if (name !== 'file') {
      stream.resume();
      return;
    }
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
  if (!written) throw unreadable('Send the bytes in the field "file", as a file');
  await written;
  if (isLarge) tooLarge();
  return { fields, sizeBytes, blake3: blake3.digest('hex'), sha256: sha256.digest('hex') };
}

function openForm(Busboy: BusboyConstructor, type: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': type },
      limits: LIMITS,
      isPartAFile: (name) => name === 'file',
    });
  } catch (error) {
    throw unreadable(`This form cannot be read: ${(error as Error).message}`);
  }
}
