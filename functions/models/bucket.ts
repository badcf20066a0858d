// The models bucket: the only file of this room that speaks S3. An object tells its SHA-256 in its metadata, which is
// true because an upload that does not have it never becomes an object.

import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ModelsProblem } from './problem.ts';

export interface Content {
  sizeBytes: number;
  sha256: string;
}

export interface ModelBucket {
  readonly name: string;
  /** Undefined: no such key. */
  head(key: string): Promise<{ sizeBytes: number; sha256: string | undefined } | undefined>;
  /**
   * Bytes `from` to `to`, both included; whole or it throws.
   * @param room to put them: 57 GB in buffers of their own would be collected for minutes
   */
  range(key: string, from: number, to: number, signal?: AbortSignal, room?: Buffer): Promise<Uint8Array>;
  /** Undefined: no such key. */
  readJson(key: string): Promise<unknown>;
  putJson(key: string, value: unknown): Promise<void>;
  /** Nothing is stored unless size and SHA-256 are as promised. */
  upload(key: string, bytes: AsyncIterable<Uint8Array>, content: Content): Promise<void>;
}

const MB = 1024 * 1024;
/** S3 takes 10,000 parts. */
const MOST_PARTS = 9000;

/** @param partBytes of a multipart upload; S3 takes 5 MiB at least */
export function openBucket(client: S3Client, name: string, partBytes = 16 * MB): ModelBucket {
  const at = (key: string) => ({ Bucket: name, Key: key });
  return {
    name,

    async head(key) {
      try {
        const found = await client.send(new HeadObjectCommand(at(key)));
        return { sizeBytes: found.ContentLength ?? 0, sha256: found.Metadata?.['sha256'] };
      } catch (error) {
        if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
        throw error;
      }
    },

    async range(key, from, to, abortSignal, room = Buffer.allocUnsafe(to - from + 1)) {
      const found = await client.send(
        new GetObjectCommand({ ...at(key), Range: `bytes=${from}-${to}` }),
        abortSignal ? { abortSignal } : {},
      );
      const bytes = room.subarray(0, to - from + 1);
      let length = 0;
      for await (const piece of found.Body as Readable) {
        if (length + (piece as Buffer).length <= bytes.length) (piece as Buffer).copy(bytes, length);
        length += (piece as Buffer).length;
      }
      if (length !== bytes.length) throw new Error(`${key}: ${length} bytes came, not ${bytes.length}`);
      return bytes;
    },

    async readJson(key) {
      let text: string;
      try {
        const found = await client.send(new GetObjectCommand(at(key)));
        text = await found.Body!.transformToString();
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
      try {
        return JSON.parse(text);
      } catch {
        throw new ModelsProblem(`s3://${name}/${key} is no JSON; run npm run models -- seed again`);
      }
    },

    async putJson(key, value) {
      const Body = `${JSON.stringify(value, undefined, 2)}\n`;
      await client.send(new PutObjectCommand({ ...at(key), Body, ContentType: 'application/json' }));
    },

    async upload(key, bytes, content) {
      const upload = new Upload({
        client,
        partSize: Math.max(partBytes, Math.ceil(content.sizeBytes / MOST_PARTS)),
        queueSize: 4,
        params: {
          ...at(key),
          Body: Readable.from(checked(bytes, content, key), { objectMode: false }),
          Metadata: { sha256: content.sha256 },
        },
      });
      await upload.done();
    },
  };
}

/** The same bytes; throws before the last is handed over when they are others. */
async function* checked(bytes: AsyncIterable<Uint8Array>, content: Content, key: string) {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of bytes) {
    hash.update(piece);
    sizeBytes += piece.length;
    if (held) yield held;
    held = piece;
  }
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (sizeBytes !== content.sizeBytes)
    throw new ModelsProblem(
      `${name} has ${sizeBytes} bytes, not ${content.sizeBytes}: it is not stored; run this again`,
    );
  if (hash.digest('hex') !== content.sha256)
    throw new ModelsProblem(
      `${name} is not what the hub says it is (another SHA-256): it is not stored; run this again`,
    );
  if (held) yield held;
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
