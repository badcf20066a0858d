// A file of the bucket as parts of one size, each known by its SHA-256: any of them is checked alone, in any order and by
// any thread. The list lies beside the file, written by whoever stored it; a file without one was never stored whole.

import * as z from 'zod';
import { ModelsProblem } from './problem.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const schema = z.object({
  v: z.literal(1),
  sizeBytes: z.int().positive(),
  sha256,
  /** Of every part but the last, which may be shorter. */
  partBytes: z.int().positive(),
  /** As many as were sent, in their order. */
  parts: z.array(sha256),
  /** While it is under way: S3's id, and the state of the whole file's SHA-256 behind the last of `parts`. */
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

export const partsKey = (key: string) => `${key}.parts.json`;

const MB = 1024 * 1024;
/** S3 takes 10,000 parts, of 5 MiB at least. */
const MOST_PARTS = 9000;
const PART_BYTES = 16 * MB;

/** How large the parts of a file are: 16 MiB, more where those were too many. */
export function partBytesOf(sizeBytes: number, least = PART_BYTES): number {
  return Math.max(least, Math.ceil(sizeBytes / MOST_PARTS / MB) * MB);
}

/** Undefined: it is none, or another file's. */
export function readList(found: unknown, content: Content): PartList | undefined {
  const { data } = schema.safeParse(found);
  return data?.sizeBytes === content.sizeBytes && data.sha256 === content.sha256 ? data : undefined;
}

/** Undefined: there is no list, or not of all parts. */
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

/** @throws ModelsProblem where there is no list */
export async function readParts(bucket: PartLists, key: string, content: Content): Promise<Part[]> {
  const parts = await findParts(bucket, key, content);
  if (parts) return parts;
  throw new ModelsProblem(
    `s3://${bucket.name}/${partsKey(key)} does not tell the parts of that file: run npm run models -- seed --bucket ${bucket.name}`,
  );
}
