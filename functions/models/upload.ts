// Uploads a file part by part, so that a run on any machine resumes an interrupted one: the parts are in S3, and their list
// beside the file, with the state of the whole file's SHA-256 after the last part. It completes the object only if size and
// hash are as promised.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createSHA256 } from 'hash-wasm';
import { createHash } from 'node:crypto';
import { inParts } from '../core/in-parts.ts';
import { type Content, type PartList, partsKey, readList } from './parts-list.ts';
import { ModelsProblem } from './problem.ts';

/** The bytes of the file after the first `from`, in order. */
export type Source = (from: number) => AsyncIterable<Uint8Array>;

export interface UploadDeps {
  client: S3Client;
  bucket: string;
  readJson(key: string): Promise<unknown>;
  putJson(key: string, value: unknown): Promise<void>;
}

/** Parts sent at once: that many are in memory, and may be sent again after an interruption. */
const PARALLEL = 4;

/** @returns the bytes that an earlier run had sent. @throws ModelsProblem */
export async function upload(
  deps: UploadDeps,
  key: string,
  source: Source,
  content: Content,
  partBytes: number,
): Promise<number> {
  const { client } = deps;
  const at = { Bucket: deps.bucket, Key: key };
  const whole = await createSHA256();
  const began = content.sizeBytes > partBytes ? await resume(deps, key, content, partBytes) : undefined;
  const list: PartList = began?.list ?? {
    v: 1,
    sizeBytes: content.sizeBytes,
    sha256: content.sha256,
    partBytes,
    parts: [],
  };
  const uploaded: CompletedPart[] = began?.uploaded ?? [];
  if (began) whole.load(Buffer.from(began.list.upload!.hash, 'base64'));
  const from = list.parts.length * partBytes;

  let sizeBytes = from;
  let single: Buffer | undefined;
  let id = began?.list.upload!.id;
  const underway: Promise<void>[] = [];
  /** The list is written after each part, in order. */
  let written = Promise.resolve();

  async function send(body: Buffer, number: number): Promise<void> {
    const sent = await client.send(
      new UploadPartCommand({ ...at, UploadId: id, PartNumber: number, Body: body }),
    );
    uploaded[number - 1] = { PartNumber: number, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 };
  }

  try {
    for await (const body of inParts(source(from), partBytes)) {
      sizeBytes += body.length;
      if (sizeBytes > content.sizeBytes) break;
      whole.update(body);
      const hash = createHash('sha256').update(body).digest('hex');
      if (content.sizeBytes <= partBytes) {
        list.parts.push(hash);
        single = body;
        continue;
      }
      id ??= await begin();
      const number = Math.ceil(sizeBytes / partBytes);
      const state = Buffer.from(whole.save()).toString('base64');
      const sending = send(body, number);
      sending.catch(() => undefined);
      const before = written;
      written = (async () => {
        await before;
        await sending;
        list.parts.push(hash);
        await deps.putJson(partsKey(key), { ...list, upload: { id, hash: state } } satisfies PartList);
      })();
      written.catch(() => undefined);
      underway.push(sending);
      if (underway.length >= PARALLEL) await underway.shift();
    }
  } finally {
    // Parts under way are still of use to the next run.
    await written.catch(() => undefined);
  }
  await written;

  const name = key.slice(key.lastIndexOf('/') + 1);
  const why =
    sizeBytes !== content.sizeBytes
      ? `has ${sizeBytes} bytes, not ${content.sizeBytes}`
      : whole.digest() !== content.sha256
        ? 'is not what the hub says it is (another SHA-256)'
        : undefined;
  if (why !== undefined) {
    if (id !== undefined) await client.send(new AbortMultipartUploadCommand({ ...at, UploadId: id }));
    throw new ModelsProblem(`${name} ${why}: it is not stored; run this again`);
  }
  const Metadata = { sha256: content.sha256 };
  if (single) await client.send(new PutObjectCommand({ ...at, Body: single, Metadata }));
  else
    await client.send(
      new CompleteMultipartUploadCommand({ ...at, UploadId: id, MultipartUpload: { Parts: uploaded } }),
    );
  const { upload: _, ...finished } = list;
  await deps.putJson(partsKey(key), finished);
  return from;

  async function begin(): Promise<string> {
    const begun = await client.send(
      new CreateMultipartUploadCommand({ ...at, Metadata: { sha256: content.sha256 } }),
    );
    return begun.UploadId!;
  }
}

interface Interrupted {
  list: PartList;
  uploaded: CompletedPart[];
}

/** Undefined: there is no interrupted upload, or S3 has removed it (after two days). */
async function resume(
  { client, bucket, readJson }: UploadDeps,
  key: string,
  content: Content,
  partBytes: number,
): Promise<Interrupted | undefined> {
  const list = readList(await readJson(partsKey(key)), content);
  if (!list?.upload || list.partBytes !== partBytes) return undefined;
  const uploaded: CompletedPart[] = [];
  try {
    // Not by the SDK's paginator: it never ends where the last page names a next, as S3's does (docs/facts.md).
    for (let after: string | undefined, more = true; more;) {
      const page = await client.send(
        new ListPartsCommand({
          Bucket: bucket,
          Key: key,
          UploadId: list.upload.id,
          PartNumberMarker: after,
        }),
      );
      for (const { PartNumber, ETag, ChecksumCRC32 } of page.Parts ?? [])
        if (PartNumber! <= list.parts.length) uploaded[PartNumber! - 1] = { PartNumber, ETag, ChecksumCRC32 };
      after = page.NextPartNumberMarker;
      more = page.IsTruncated === true;
    }
  } catch (error) {
    if ((error as Error).name === 'NoSuchUpload') return undefined;
    throw error;
  }
  return uploaded.filter(Boolean).length === list.parts.length ? { list, uploaded } : undefined;
}
