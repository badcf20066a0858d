// Images in an S3 bucket: put, get, list and delete by key, streamed and with checksums.

import {
  type _Object as S3Object,
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import {
  type ImageBody,
  type ImageMeta,
  type Images,
  type ListedImage,
  RangeNotSatisfiable,
} from '../images.ts';
import { bodyFrom, unlessBroken } from './body.ts';
import { createS3Client, type S3Settings } from './client.ts';
import { directoryOf } from './directory.ts';
import { putInParts } from './in-parts.ts';

const BATCH = 1000;
/** Larger streams go up in parts. */
const WHOLE_BYTES = 64 * 1024 * 1024;

/** Over connections of their own. */
export const openS3Images = (bucket: string, settings: S3Settings): Images =>
  createS3Images({ client: createS3Client(settings), bucket });

/** Every method rejects with the SDK's error where S3 refuses or does not answer. */
export function createS3Images({ client, bucket }: { client: S3Client; bucket: string }): Images {
  const at = (key: string) => ({ Bucket: bucket, Key: key });

  async function store(key: string, given: ImageBody, meta: ImageMeta, ifNoneMatch?: '*') {
    const { sizeBytes: promised = 0 } = meta;
    if (promised > WHOLE_BYTES && !(given instanceof Uint8Array))
      return putInParts(client, at(key), given, { ...meta, sizeBytes: promised }, ifNoneMatch);
    const { body, sizeBytes } = await bodyFrom(given, meta.sizeBytes);
    const send = (Body: Uint8Array | Readable, abortSignal?: AbortSignal) =>
      client.send(
        new PutObjectCommand({
          ...at(key),
          Body,
          ContentLength: sizeBytes,
          ContentType: meta.contentType,
          ChecksumAlgorithm: 'CRC32',
          IfNoneMatch: ifNoneMatch,
        }),
        { ...(abortSignal && { abortSignal }) },
      );
    const { ETag: etag = '' } =
      body instanceof Uint8Array ? await send(body) : await unlessBroken(body, send);
    return { sizeBytes, etag };
  }

  const images: Images = {
    outputDirectory: directoryOf(bucket),

    put: (key, body, meta) => store(key, body, meta),

    async putOnce(key, body, meta) {
      try {
        await store(key, body, meta, '*');
        return 'written';
      } catch (error) {
        if (statusOf(error) === 412) return 'existed';
        throw error;
      }
    },

    async get(key, { range, ifNoneMatch } = {}) {
      try {
        const found = await client.send(
          new GetObjectCommand({
            ...at(key),
            Range: readable(range, /^bytes=(\d+-\d*|-\d+)$/),
            IfNoneMatch: weak(ifNoneMatch),
          }),
        );
        return {
          body: found.Body!.transformToWebStream() as ReadableStream<Uint8Array>,
          ...describe(found),
          contentLength: found.ContentLength ?? 0,
          ...(found.ContentRange !== undefined && { contentRange: found.ContentRange }),
          partial: found.ContentRange !== undefined,
        };
      } catch (error) {
        if (statusOf(error) === 304) return 'not-modified';
        if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return undefined;
        if (statusOf(error) !== 416) throw error;
        throw new RangeNotSatisfiable((await images.head(key))?.sizeBytes ?? 0);
      }
    },

    async head(key) {
      try {
        const found = await client.send(new HeadObjectCommand(at(key)));
        return { ...describe(found), sizeBytes: found.ContentLength ?? 0 };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },

    async renew(key) {
      const head = await images.head(key);
      if (!head) return false;
      await client.send(
        new CopyObjectCommand({
          ...at(key),
          CopySource: `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`,
          // S3 copies nothing onto itself that stays as it is.
          MetadataDirective: 'REPLACE',
          ContentType: head.contentType,
        }),
      );
      return true;
    },

    async delete(keys) {
      for (let start = 0; start < keys.length; start += BATCH) {
        const Objects = keys.slice(start, start + BATCH).map((Key) => ({ Key }));
        const { Errors: errors = [] } = await client.send(
          new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
        );
        const first = errors[0];
        if (first) throw new Error(`${errors.length} images are not deleted: ${first.Key}: ${first.Code}`);
      }
    },

    async *list(prefix) {
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
        yield* listed(page.Contents);
    },

    async page(prefix, limit, after) {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: limit, StartAfter: after }),
      );
      return { items: listed(page.Contents), more: page.IsTruncated ?? false };
    },
  };
  return images;
}

function listed(contents: S3Object[] = []): ListedImage[] {
  return contents.flatMap(({ Key: key, Size: sizeBytes = 0, LastModified: lastModified }) =>
    key !== undefined && lastModified ? [{ key, sizeBytes, lastModified }] : [],
  );
}

function describe(found: { ContentType?: string; ETag?: string; LastModified?: Date }) {
  return {
    contentType: found.ContentType ?? 'application/octet-stream',
    etag: found.ETag ?? '',
    lastModified: found.LastModified ?? new Date(0),
  };
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

const readable = (text: string | undefined, shape: RegExp) => (text && shape.test(text) ? text : undefined);

/** S3 compares tags literally; one that a proxy weakened (`W/`) still names the same image. */
const weak = (tag: string | undefined) => readable(tag?.replace(/^W\//, ''), /^[\x20-\x7e]+$/);
