// POST /api/upload/link: a link by which one file is put into the bucket, once. Of use to few calls: no cold start loads it.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { LINK_LIFETIME_SECONDS, LINKED_WITHIN, MAX_LINKED_BYTES } from '../../core/limits.ts';
import { keys, uploadName } from '../../core/names.ts';
import { keepUpload } from '../admission/image-inputs.ts';
import type { ApiEnv } from '../deps.ts';
import { setHeaders } from '../http/headers.ts';
import { originOf } from '../http/link-origin.ts';
import type { Shared } from './shared.ts';

export async function uploadByLink(deps: Shared, c: Context<ApiEnv>, body: Record<string, unknown>) {
  const { limits, uploadQuota, presigner, settings, now } = deps;
  const caller = c.get('caller');
  setHeaders(c, await limits.request(caller));
  const { extension, sizeBytes, sha256 } = askedOf(body);
  const name = uploadName(sha256, extension);
  const key = keys.upload(caller.owner, name);
  if (await keepUpload(deps, key)) return { name, uploaded: true, upload: null };
  const endsAt = now() + LINK_LIFETIME_SECONDS * 1000;
  await uploadQuota.begin(caller, { name, bytes: sizeBytes }, endsAt + LINKED_WITHIN);
  const { url, headers } = await presigner.uploadLink({
    endpoint: originOf(settings, c),
    key,
    sizeBytes,
    sha256,
  });
  const upload = { method: 'PUT' as const, url, headers, expires_at: new Date(endsAt).toISOString() };
  return { name, uploaded: false, upload };
}

const SHA256 = /^[0-9a-f]{64}$/;
const ASKED = ['filename', 'size_bytes', 'sha256'];

/** @throws AppError missing_field, unknown_field, invalid_field */
function askedOf(body: Record<string, unknown>): { extension: string; sizeBytes: number; sha256: string } {
  const { filename, size_bytes: sizeBytes, sha256 } = body;
  const unknown = Object.keys(body).find((name) => !ASKED.includes(name));
  if (unknown !== undefined)
    throw new AppError(
      'unknown_field',
      `Unknown field: ${unknown.slice(0, 60)}; a link takes ${ASKED.join(', ')}`,
      {
        field: unknown.slice(0, 60),
      },
    );
  const missing = ASKED.find((name) => body[name] === undefined || body[name] === null);
  if (missing !== undefined)
    throw new AppError('missing_field', `Missing field: ${missing}`, { field: missing });
  if (typeof filename !== 'string' || filename === '' || filename.length > 255)
    throw invalid('filename', 'must be a name such as film.mp4, of at most 255 characters');
  if (
    typeof sizeBytes !== 'number' ||
    !Number.isInteger(sizeBytes) ||
    sizeBytes < 1 ||
    sizeBytes > MAX_LINKED_BYTES
  )
    throw invalid('size_bytes', `must be a whole number from 1 to ${MAX_LINKED_BYTES}`);
  if (typeof sha256 !== 'string' || !SHA256.test(sha256))
    throw invalid('sha256', 'must be the SHA-256 of the file: 64 digits of 0-9 and a-f');
  const extension = /\.([a-z0-9]{1,10})$/.exec(filename.toLowerCase())?.[1] ?? 'bin';
  return { extension, sizeBytes, sha256 };
}
