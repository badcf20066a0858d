// What the machine of `seed --in-region` is to seed: whoever starts one writes it into the bucket first, and of two at once
// one does. It stays there, and says when the last one was started.

import * as z from 'zod';
import type { ModelBucket } from './bucket.ts';
import { ModelsProblem } from './problem.ts';
import { type Wanted, wantedSchema } from './wanted.ts';

export const SEEDING_KEY = 'seeding.json';

const schema = z.object({
  v: z.literal(1),
  /** When a machine for it was started, ms; 0: that was refused. */
  startedAt: z.number(),
  wanted: wantedSchema,
});

export type Seeding = z.infer<typeof schema>;

/** @throws ModelsProblem */
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

/** @param over what was read; undefined: nothing was there. @returns false: another has written since */
export function writeSeeding(
  bucket: ModelBucket,
  wanted: Wanted,
  startedAt: number,
  over: string | undefined,
): Promise<boolean> {
  return bucket.replaceJson(SEEDING_KEY, { v: 1, startedAt, wanted } satisfies Seeding, over);
}
