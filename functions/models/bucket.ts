// The models bucket. An object has its SHA-256 in its metadata, which is right because an upload with another one never
// becomes an object.

import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { createPresigner } from '../images/s3/presign.ts';
import { type Content, partBytesOf } from './parts-list.ts';
import { ModelsProblem } from './problem.ts';
import { type Source, upload, type UploadDeps } from './upload.ts';

export interface ModelBucket {
  readonly name: string;
  /** Undefined: no such key. */
  head(key: string): Promise<{ sizeBytes: number; sha256: string | undefined } | undefined>;
  /** A presigned link to its bytes, valid for a quarter of an hour. */
  link(key: string): Promise<string>;
  /** Undefined: no such key. */
  readJson(key: string): Promise<unknown>;
  /** The same with its ETag, which names this version. */
  readTagged(key: string): Promise<{ value: unknown; etag: string } | undefined>;
  putJson(key: string, value: unknown): Promise<void>;
  /** Overwrites only the version `etag`; undefined: only where no object exists. False: another version exists. */
  replaceJson(key: string, value: unknown, etag: string | undefined): Promise<boolean>;
  /** Stores nothing unless size and SHA-256 are those of `content`. @returns the bytes that an earlier run had sent */
  upload(key: string, source: Source, content: Content): Promise<number>;
}

/** @param leastPartBytes minimum size of parts; S3 requires 5 MiB */
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
      return (await this.readTagged(key))?.value;
    },

    async readTagged(key) {
      let text: string;
      let etag: string;
      try {
        const found = await client.send(new GetObjectCommand(at(key)));
        text = await found.Body!.transformToString();
        etag = found.ETag ?? '';
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
      try {
        return { value: JSON.parse(text), etag };
      } catch {
        throw new ModelsProblem(`s3://${name}/${key} is no JSON; run npm run models -- seed again`);
      }
    },

    async putJson(key, value) {
      await client.send(new PutObjectCommand({ ...at(key), ...asJson(value) }));
    },

    async replaceJson(key, value, etag) {
      const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
      try {
        await client.send(new PutObjectCommand({ ...at(key), ...asJson(value), ...condition }));
        return true;
      } catch (error) {
        // 409: two conditional writes at once.
        if (![409, 412].includes(statusOf(error) ?? 0)) throw error;
        return false;
      }
    },

    upload(key, source, content) {
      const partBytes = partBytesOf(content.sizeBytes, leastPartBytes);
      const deps: UploadDeps = {
        client,
        bucket: name,
        readJson: (one) => this.readJson(one),
        putJson: (one, value) => this.putJson(one, value),
      };
      return upload(deps, key, source, content, partBytes);
    },
  };
}

const asJson = (value: unknown) => ({
  Body: `${JSON.stringify(value, undefined, 2)}\n`,
  ContentType: 'application/json',
});

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
