// Images that come within a run, in base64. Each is known by its content from then on, and becomes an upload of its caller's when its
// job is accepted.

import { createHash } from 'node:crypto';
import { setImmediate as others } from 'node:timers/promises';
import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import type { OutputKind } from '../../core/job-output.ts';
import { keys, uploadName } from '../../core/names.ts';
import { fileOf } from '../../core/preflight/files.ts';
import { MEDIA_HEAD, mediaTypeOf } from '../../images/media-type.ts';
import { inspectUpload } from '../admission/upload-image.ts';
import { keepUpload } from '../admission/image-inputs.ts';
import type { UploadQuota } from '../admission/upload-quota.ts';
import type { ApiDeps } from '../deps.ts';

export interface SentImage {
  /** As the graph's loaders read it, below ComfyUI's input folder. */
  name: string;
  /** The name of its content. */
  upload: string;
  contentType: string;
  bytes: Buffer;
}

const FIELD = 'input.images';
const MAX_IMAGES = 100;
const MAX_NAME = 512;
/** In all frames of one: beyond any camera's, and unpacked within a second. */
const MAX_PIXELS = 100_000_000;
/** Before base64. */
export const DATA_URI = /^data:[^,]{0,100};base64,/i;
/** What ComfyUI's loaders take. */
const KINDS: readonly OutputKind[] = ['image', 'video', 'audio'];
/** Read to their end: a loader would stumble over half of one, when its job has waited. */
const INSPECTED = ['image/png', 'image/jpeg', 'image/webp'];

/** @param given worker-comfyui's list @throws AppError invalid_field */
export async function sentImages(given: unknown): Promise<SentImage[]> {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw invalid(FIELD, 'must be a list of {"name", "image"}');
  if (given.length > MAX_IMAGES)
    throw invalid(FIELD, `has ${given.length} entries; ${MAX_IMAGES} are allowed`);
  const images: SentImage[] = [];
  for (const [index, one] of given.entries()) {
    const at = `${FIELD}[${index}]`;
    const { name, image, ...others } = { ...(one as { name?: unknown; image?: unknown } | null) };
    if (typeof name !== 'string' || typeof image !== 'string')
      throw invalid(at, 'must be {"name", "image"}, both texts');
    const [unknown] = Object.keys(others);
    if (unknown !== undefined)
      throw new AppError('unknown_field', `Unknown field: ${at}.${unknown.slice(0, 60)}`, {
        field: `${at}.${unknown}`,
      });
    const path = pathOf(name, `${at}.name`);
    if (images.some((other) => other.name === path))
      throw invalid(`${at}.name`, 'is the name of another too');
    images.push(await decodedImage(`${at}.image`, path, image));
  }
  return images;
}

/** @throws AppError invalid_field where it leaves ComfyUI's input folder */
function pathOf(name: string, field: string): string {
  const isPlain = name.length <= MAX_NAME && !/[\p{Cc}]|\[(input|output|temp)\]$/u.test(name);
  const file = isPlain && !/(^|[/\\])\.\.([/\\]|$)/.test(name) ? fileOf(name) : undefined;
  if (!file || file.path === '')
    throw invalid(field, 'must be a plain file name, which leads to no other folder');
  return file.path;
}

/** Other requests are served before it. @throws AppError invalid_field, invalid_image */
export async function decodedImage(field: string, name: string, text: string): Promise<SentImage> {
  await others();
  const encoded = text.replace(DATA_URI, '');
  if (!/^[A-Za-z0-9+/\r\n]+={0,2}\s*$/.test(encoded))
    throw invalid(field, 'must be base64, or a data URI of it');
  const bytes = Buffer.from(encoded, 'base64');
  const { kind, contentType, extension } = mediaTypeOf(bytes.subarray(0, MEDIA_HEAD), name);
  if (!KINDS.includes(kind)) throw invalid(field, `must be an image, film or sound; this is ${contentType}`);
  await others();
  const upload = INSPECTED.includes(contentType)
    ? (await inspectUpload(bytes, field, MAX_PIXELS)).name
    : uploadName(createHash('sha256').update(bytes).digest('hex'), extension);
  return { name, upload, contentType, bytes };
}

/** Puts its bytes unless they are there, for as long as every upload is kept after its last use. */
export async function keepImage(
  deps: ApiDeps & { uploadQuota: UploadQuota },
  caller: Caller,
  { upload, contentType, bytes }: SentImage,
): Promise<void> {
  const key = keys.upload(caller.owner, upload);
  if (await keepUpload(deps, key)) return;
  const settle = await deps.uploadQuota.begin(caller, { name: upload, bytes: bytes.length });
  // A browser shows no SVG of a caller's.
  const stored = contentType === 'image/svg+xml' ? 'application/octet-stream' : contentType;
  await settle(await deps.images.putOnce(key, bytes, { contentType: stored }));
}
