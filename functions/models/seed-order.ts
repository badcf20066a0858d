// The order for the machine of `seed --in-region`: the command writes it into the bucket, conditionally, before it starts
// the machine, so that one of two commands at once does. It remains, with the time of the last start.

import * as z from 'zod';
import type { ModelBucket } from './bucket.ts';
import { ModelsProblem } from './problem.ts';
import { type Wanted, wantedSchema } from './wanted.ts';

export const SEEDING_KEY = 'seeding.json';

const schema = z.object({
  v: z.literal(1),
  /** When its machine was started, ms; 0: the start was refused. */
  startedAt: z.number(),
  wanted: wantedSchema,
});

export type Seeding = z.infer<typeof schema>;

/** Undefined: there was no seed in the region. @throws ModelsProblem */
export async function readSeeding(
  bucket: ModelBucket,
): Promise<{ seeding: Seeding; etag: string } | undefined> {
  const found = await bucket.readTagged(SEEDING_KEY);
  if (found === undefined) return undefined;
  const parsed = schema.safeParse(found.value);
  if (!parsed.success)
    throw new ModelsProblem(`s3://${bucket.name}/${SEEDING_KEY} cannot be read; delete it, then seed again`);
  return { seeding: parsed.data, etag: found.etag };
}

/** @param over the ETag that was read; undefined: there was none. @returns false: it was written since by another run */
export function writeSeeding(
  bucket: ModelBucket,
  wanted: Wanted,
  startedAt: number,
  over: string | undefined,
): Promise<boolean> {
  return bucket.replaceJson(SEEDING_KEY, { v: 1, startedAt, wanted } satisfies Seeding, over);
}
