// A file of the bucket as parts of one size, each known by its SHA-256: any of them is checked alone, in any order and by
// any thread. The list lies beside the file, written by whoever stored it; a file without one was never stored whole.

import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { Content, ModelBucket } from './bucket.ts';
import { ModelsProblem } from './problem.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const schema = z.object({
  v: z.literal(1),
  sizeBytes: z.int().positive(),
  sha256,
  /** Of every part but the last, which may be shorter. */
  partBytes: z.int().positive(),
  parts: z.array(sha256).min(1),
});

export type PartList = z.infer<typeof schema>;

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

/** Undefined: there is none, or it is another file's. */
export async function findParts(
  bucket: ModelBucket,
  key: string,
  content: Content,
): Promise<Part[] | undefined> {
  const parsed = schema.safeParse(await bucket.readJson(partsKey(key)));
  if (!parsed.success) return undefined;
  const { sizeBytes, sha256: whole, partBytes, parts } = parsed.data;
  if (sizeBytes !== content.sizeBytes || whole !== content.sha256) return undefined;
  if (parts.length !== Math.ceil(sizeBytes / partBytes)) return undefined;
  return parts.map((hash, n) => ({
    from: n * partBytes,
    to: Math.min((n + 1) * partBytes, sizeBytes) - 1,
    sha256: hash,
  }));
}

/** @throws ModelsProblem where there is no list */
export async function readParts(bucket: ModelBucket, key: string, content: Content): Promise<Part[]> {
  const parts = await findParts(bucket, key, content);
  if (parts) return parts;
  throw new ModelsProblem(
    `s3://${bucket.name}/${partsKey(key)} does not tell the parts of that file: run npm run models -- seed --bucket ${bucket.name}`,
  );
}

/** Takes a file's bytes in order and tells its parts. */
export function createPartHasher(partBytes: number) {
  const parts: string[] = [];
  let hash = createHash('sha256');
  let room = partBytes;
  return {
    update(bytes: Uint8Array): void {
      for (let rest = bytes; rest.length > 0;) {
        const piece = rest.subarray(0, room);
        hash.update(piece);
        rest = rest.subarray(piece.length);
        room -= piece.length;
        if (room > 0) continue;
        parts.push(hash.digest('hex'));
        hash = createHash('sha256');
        room = partBytes;
      }
    },
    end(): string[] {
      return room === partBytes ? parts : [...parts, hash.digest('hex')];
    },
  };
}
