// The newest preview of a job in the images bucket, for readers in other processes than its host's.

import { base64Of, type Preview } from '../core/live.ts';
import { keys } from '../core/names.ts';
import type { Images } from './images.ts';

interface Stored {
  /** By the tables' clock, ms. */
  at: number;
  preview: Preview;
}

export async function storePreview(
  images: Pick<Images, 'put'>,
  jobId: string,
  { at, preview }: Stored,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify({ at, ...preview, image: base64Of(preview) }));
  await images.put(keys.preview(jobId), bytes, {
    contentType: 'application/json',
    sizeBytes: bytes.length,
  });
}

/** @param known an etag. Undefined: there is none, or no other than that. @throws SyntaxError for what is no JSON */
export async function readPreview(
  images: Pick<Images, 'get'>,
  jobId: string,
  known: string | undefined,
): Promise<(Stored & { etag: string }) | undefined> {
  const stored = await images.get(keys.preview(jobId), { ifNoneMatch: known });
  if (!stored || stored === 'not-modified') return undefined;
  const { at, image, ...about } = (await new Response(stored.body).json()) as Omit<Preview, 'image'> & {
    at: number;
    image: string;
  };
  return { etag: stored.etag, at, preview: { ...about, image: Buffer.from(image, 'base64') } };
}
