// An image that a caller sends for workflows to read: looked at, counted against its owner's room, kept under the hash of its
// bytes. However it came, it is the same upload.

import { createHash } from 'node:crypto';
import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { MAX_UPLOAD_PIXELS } from '../../core/limits.ts';
import { keys, uploadName } from '../../core/names.ts';
import type { ApiDeps } from '../deps.ts';
import type { UploadQuota } from './upload-quota.ts';

/** An image that was looked at, and may be stored. */
export interface InspectedImage {
  bytes: Uint8Array;
  /** Its name as an input. */
  name: string;
  contentType: string;
  width: number;
  height: number;
}

/** @param field that it came in; @param maxPixels in all frames @throws AppError invalid_image */
export async function inspectUpload(
  bytes: Uint8Array,
  field: string,
  maxPixels = MAX_UPLOAD_PIXELS,
): Promise<InspectedImage> {
  // Of use to few calls: no cold start loads it.
  const { BrokenImage, inspectImage } = await import('../../images/sniff.ts');
  try {
    const { contentType, extension, width, height } = await inspectImage(bytes, maxPixels);
    const name = uploadName(createHash('sha256').update(bytes).digest('hex'), extension);
    return { bytes, name, contentType, width, height };
  } catch (error) {
    if (!(error instanceof BrokenImage)) throw error;
    throw new AppError('invalid_image', `The file ${error.message}; it must be a whole image`, { field });
  }
}

/** @throws AppError uploads_used_up */
export async function storeUpload(
  { images, uploadQuota }: Pick<ApiDeps, 'images'> & { uploadQuota: UploadQuota },
  caller: Caller,
  { bytes, name, contentType }: InspectedImage,
): Promise<void> {
  const key = keys.upload(caller.owner, name);
  const meta = { contentType };
  // What is there is counted, and becomes young again.
  if (await images.head(key)) await images.put(key, bytes, meta);
  else {
    const settle = await uploadQuota.begin(caller, { name, bytes: bytes.length });
    await settle(await images.putOnce(key, bytes, meta));
  }
}

/** @returns its name as an input @throws AppError invalid_image, uploads_used_up */
export async function uploadImage(
  deps: Pick<ApiDeps, 'images'> & { uploadQuota: UploadQuota },
  caller: Caller,
  bytes: Uint8Array,
): Promise<string> {
  const image = await inspectUpload(bytes, 'image');
  await storeUpload(deps, caller, image);
  return image.name;
}
