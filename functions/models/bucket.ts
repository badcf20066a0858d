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
import { createPresigner } from '../images/presign.ts';
import { createPartHasher, partBytesOf, type PartList, partsKey } from './parts.ts';
import { ModelsProblem } from './problem.ts';

export interface Content {
  sizeBytes: number;
  sha256: string;
}

export interface ModelBucket {
  readonly name: string;
  /** Undefined: no such key. */
  head(key: string): Promise<{ sizeBytes: number; sha256: string | undefined } | undefined>;
  /** Where its bytes are, for whoever has it, for a quarter of an hour. */
  link(key: string): Promise<string>;
  /** Undefined: no such key. */
  readJson(key: string): Promise<unknown>;
  putJson(key: string, value: unknown): Promise<void>;
  /** Nothing is stored unless size and SHA-256 are as promised. */
  upload(key: string, bytes: AsyncIterable<Uint8Array>, content: Content): Promise<void>;
}

/** @param leastPartBytes of a file's parts; S3 takes 5 MiB at least */
export function openBucket(client: S3Client, name: string, leastPartBytes?: number): ModelBucket {
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

    async link(key) {
      const { credentials, region, endpoint } = client.config;
      const { protocol, hostname, port } = (await endpoint?.()) ?? {};
      return createPresigner({ credentials, region: await region(), bucket: name }).link({
        key,
        endpoint: hostname && `${protocol}//${hostname}${port ? `:${port}` : ''}`,
      });
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
      const partBytes = partBytesOf(content.sizeBytes, leastPartBytes);
      const parts = createPartHasher(partBytes);
      const upload = new Upload({
        client,
        partSize: partBytes,
        queueSize: 4,
        params: {
          ...at(key),
          Body: Readable.from(checked(bytes, content, key, parts), { objectMode: false }),
          Metadata: { sha256: content.sha256 },
        },
      });
      await upload.done();
      const list: PartList = { v: 1, ...content, partBytes, parts: parts.end() };
      await this.putJson(partsKey(key), list);
    },
  };
}

/** The same bytes; throws before the last is handed over when they are others. */
async function* checked(
  bytes: AsyncIterable<Uint8Array>,
  content: Content,
  key: string,
  parts: ReturnType<typeof createPartHasher>,
) {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of bytes) {
    hash.update(piece);
    parts.update(piece);
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
