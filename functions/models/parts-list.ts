// A file's list of parts: of equal size, each with its SHA-256, so that any thread can check any part alone. The list is
// stored beside the file by the upload; a file without a complete one was not stored whole.

import * as z from 'zod';
import { ModelsProblem } from './problem.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const schema = z.object({
  v: z.literal(1),
  sizeBytes: z.int().positive(),
  sha256,
  /** Size of every part but the last, which may be shorter. */
  partBytes: z.int().positive(),
  /** Hashes of the parts that were sent, in order. */
  parts: z.array(sha256),
  /** During an upload: S3's id, and the state of the whole file's SHA-256 after the last of `parts`. */
  upload: z.object({ id: z.string(), hash: z.base64() }).optional(),
});

export type PartList = z.infer<typeof schema>;

export interface Content {
  sizeBytes: number;
  sha256: string;
}

/** Where the lists lie. */
export interface PartLists {
  readonly name: string;
  /** Undefined: no such key. */
  readJson(key: string): Promise<unknown>;
}

export interface Part {
  /** Bytes of the file, both included. */
  from: number;
  to: number;
  sha256: string;
}

/** The key of a file's list of parts. */
export const partsKey = (key: string) => `${key}.parts.json`;

const MB = 1024 * 1024;
/** S3 allows 10,000 parts, of 5 MiB at least. */
const MOST_PARTS = 9000;
const PART_BYTES = 16 * MB;

/** The part size of a file, bytes: 16 MiB, or more to stay within MOST_PARTS. */
export function partBytesOf(sizeBytes: number, least = PART_BYTES): number {
  return Math.max(least, Math.ceil(sizeBytes / MOST_PARTS / MB) * MB);
}

/** Undefined: not a valid list, or another file's. */
export function readList(found: unknown, content: Content): PartList | undefined {
  const { data } = schema.safeParse(found);
  return data?.sizeBytes === content.sizeBytes && data.sha256 === content.sha256 ? data : undefined;
}

/** Undefined: there is no list, or it is incomplete. */
export async function findParts(
  bucket: PartLists,
  key: string,
  content: Content,
): Promise<Part[] | undefined> {
  const list = readList(await bucket.readJson(partsKey(key)), content);
  if (!list) return undefined;
  const { sizeBytes, partBytes, parts } = list;
  if (parts.length !== Math.ceil(sizeBytes / partBytes)) return undefined;
  return parts.map((hash, n) => ({
    from: n * partBytes,
    to: Math.min((n + 1) * partBytes, sizeBytes) - 1,
    sha256: hash,
  }));
}

/** @throws ModelsProblem where there is no complete list */
export async function readParts(bucket: PartLists, key: string, content: Content): Promise<Part[]> {
  const parts = await findParts(bucket, key, content);
  if (parts) return parts;
  throw new ModelsProblem(
    `s3://${bucket.name}/${partsKey(key)} does not list the parts of that file: run npm run models -- seed --bucket ${bucket.name}`,
  );
}
