// A large object in parts: one part is in memory while the one before is sent, and a part that fails is sent again by the SDK,
// which it cannot do with a stream. An upload that breaks is aborted; what a killed process left the bucket's lifecycle removes.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { inParts } from '../../core/in-parts.ts';
import { type ImageMeta, IncompleteBody } from '../images.ts';

/** S3 takes 10,000 parts: 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;

/** @throws IncompleteBody, or as the body or S3 does: nothing is stored then */
export async function putInParts(
  client: S3Client,
  at: { Bucket: string; Key: string },
  body: Readable | ReadableStream<Uint8Array>,
  { contentType, sizeBytes: promised }: ImageMeta & { sizeBytes: number },
  ifNoneMatch?: '*',
): Promise<{ sizeBytes: number; etag: string }> {
  const begin = new CreateMultipartUploadCommand({
    ...at,
    ContentType: contentType,
    ChecksumAlgorithm: 'CRC32',
  });
  const { UploadId } = await client.send(begin).catch(async (error: unknown) => {
    // Its connection must not wait for a reader.
    if (body instanceof Readable) body.on('error', () => undefined).destroy();
    else await body.cancel().catch(() => undefined);
    throw error;
  });
  const upload = { ...at, UploadId };
  const parts: CompletedPart[] = [];
  let sizeBytes = 0;
  let sending: Promise<unknown> = Promise.resolve();

  async function send(Body: Buffer, PartNumber: number): Promise<void> {
    const sent = await client.send(
      new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' }),
    );
    parts.push({ PartNumber, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 });
  }

  try {
    for await (const part of inParts(body, PART_BYTES)) {
      sizeBytes += part.length;
      if (sizeBytes > promised) throw new IncompleteBody(sizeBytes, promised);
      await sending;
      sending = send(part, parts.length + 1);
      // It is awaited before the next part; until then its error has no other listener.
      sending.catch(() => undefined);
    }
    await sending;
    if (sizeBytes !== promised) throw new IncompleteBody(sizeBytes, promised);
    const { ETag: etag = '' } = await client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        MultipartUpload: { Parts: parts },
        IfNoneMatch: ifNoneMatch,
      }),
    );
    return { sizeBytes, etag };
  } catch (error) {
    // A part that is still being sent would outlive the abort.
    await sending.catch(() => undefined);
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}
