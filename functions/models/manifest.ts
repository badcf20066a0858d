// The models bucket's `manifest.json`: written last by the seed and read first by every GPU host. An object is named by its
// content, so that a new list never changes a file that a host is reading.

import * as z from 'zod';
import { ModelsProblem } from './problem.ts';

export const MANIFEST_KEY = 'manifest.json';

/** A folder or file name that cannot leave ComfyUI's `models`. */
const plainName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,199}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const modelFile = z.object({
  folder: plainName,
  filename: plainName,
  sizeBytes: z.int().positive(),
  sha256,
  /** Its key in the bucket. */
  key: z.string().min(1),
  source: z.object({ repo: z.string(), revision: z.string(), path: z.string() }),
});

const schema = z.object({ v: z.literal(1), files: z.array(modelFile).min(1) });

export type ModelFile = z.infer<typeof modelFile>;
export type Manifest = z.infer<typeof schema>;

/** A model file's key in the bucket. */
export const keyOf = (file: Pick<ModelFile, 'sha256' | 'filename'>) =>
  `models/${file.sha256}/${file.filename}`;

/** @param found the JSON at MANIFEST_KEY; undefined: no object. @throws ModelsProblem */
export function readManifest(found: unknown, bucket: string): Manifest {
  if (found === undefined)
    throw new ModelsProblem(
      `s3://${bucket} has no ${MANIFEST_KEY}: no models were seeded; run npm run models -- seed --bucket ${bucket}`,
    );
  const parsed = schema.safeParse(found);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new ModelsProblem(
    `s3://${bucket}/${MANIFEST_KEY} cannot be read (${path.join('.')}: ${message}); run npm run models -- seed --bucket ${bucket} again`,
  );
}
