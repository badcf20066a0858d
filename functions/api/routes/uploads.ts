// Routes of what callers upload for workflows to read: put, list, delete.

import { createHash } from 'node:crypto';
import { AppError } from '../../core/errors.ts';
import { MAX_UPLOAD_BYTES, MAX_UPLOAD_PIXELS } from '../../core/limits.ts';
import { isUploadName, keys, UPLOAD_NAME, uploadName } from '../../core/names.ts';
import { MB } from '../../core/quota.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import { keepOf } from '../deps.ts';
import { json, LIMIT_HEADERS } from '../http/answers.ts';
import { readFormFile } from '../http/multipart.ts';
import { cursorOf, owner, page, part } from '../http/parameters.ts';
import { setHeaders } from '../http/headers.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';

/** What multipart puts around a file. */
const FORM_OVERHEAD = 16 * 1024;

export const uploadRoutes = (deps: Shared) => [
  route(
    {
      route: 'POST /upload/image',
      id: 'uploadImage',
      tag: 'Images',
      summary: 'Upload an image for a workflow to use',
      description: `PNG, JPEG or WebP by its content, at most ${MAX_UPLOAD_BYTES / MB} MB and ${MAX_UPLOAD_PIXELS / 1e6} megapixels. The same file twice is one. Kept 30 days after its last use.`,
      scope: 'generate',
      body: {
        type: 'multipart/form-data',
        schema: {
          type: 'object',
          required: ['image'],
          properties: { image: { type: 'string', format: 'binary', maxLength: MAX_UPLOAD_BYTES } },
        },
        limit: { bytes: MAX_UPLOAD_BYTES + FORM_OVERHEAD, tooLarge },
      },
      answers: { 200: json('Its name here', 'Uploaded', LIMIT_HEADERS) },
      errors: ['missing_field', 'invalid_image', 'too_many_requests', 'uploads_used_up'],
    },
    async (c) => {
      const { images, limits, uploadQuota } = deps;
      const caller = c.get('caller');
      setHeaders(c, await limits.request(caller));
      const { bytes } = await readFormFile(c.req.raw, 'image', MAX_UPLOAD_BYTES, tooLarge);
      const type = await inspected(bytes);
      const name = uploadName(createHash('sha256').update(bytes).digest('hex'), type.extension);
      const key = keys.upload(caller.owner, name);
      const meta = { contentType: type.contentType };
      // What is there is counted, and becomes young again.
      if (await images.head(key)) await images.put(key, bytes, meta);
      else {
        const settle = await uploadQuota.begin(caller, { name, bytes: bytes.length });
        await settle(await images.putOnce(key, bytes, meta));
      }
      return { name, subfolder: '', type: 'input' };
    },
  ),

  route(
    {
      route: 'GET /uploads',
      id: 'uploads',
      tag: 'Images',
      summary: 'Images that were uploaded',
      scope: 'read',
      parameters: { ...page(UPLOAD_NAME), owner },
      answers: { 200: json('A page of uploads', 'Uploads') },
      errors: ['invalid_field'],
    },
    async (_, { limit, cursor, owner }) => {
      const prefix = keys.upload(owner, '');
      const found = await deps.images.page(prefix, limit, cursor === undefined ? undefined : prefix + cursor);
      const uploads = found.items.map(({ key, sizeBytes, lastModified }) => ({
        name: key.slice(prefix.length),
        size_bytes: sizeBytes,
        uploaded_at: lastModified.toISOString(),
        expires_at: new Date(lastModified.getTime() + keepOf(deps)).toISOString(),
      }));
      return { uploads, next_cursor: cursorOf(found.more ? uploads.at(-1)!.name : undefined) };
    },
  ),

  route(
    {
      route: 'DELETE /upload/image/:name',
      id: 'removeUpload',
      tag: 'Images',
      summary: 'Remove an upload for good',
      description:
        'One that a job reads which has not ended is refused: cancel the job first. A job that is accepted at this very moment fails as `input_gone`.',
      scope: 'generate',
      parameters: {
        name: part(
          'name',
          {
            description: 'As the upload or the list gave it',
            example: `${'0123456789abcdef'.repeat(4)}.png`,
          },
          (name) => {
            if (!isUploadName(name)) throw notFound();
            return name;
          },
        ),
        owner,
      },
      answers: { 200: json('Removed', 'Removed') },
      errors: ['image_not_found', 'upload_in_use'],
    },
    async (_, { name, owner }) => {
      const { images, jobs, uploadQuota, log } = deps;
      const key = keys.upload(owner, name);
      if (!(await images.head(key))) throw notFound();
      await refuseIfRead(jobs, owner, (one) => one === key, 'upload_in_use');
      // No write comes before it: on a full disk it makes the room that a write needs.
      await images.delete([key]);
      await uploadQuota.freed(owner);
      log.info('upload.removed', { owner, filename: name });
      return { status: 'success', message: `Upload ${name} removed` };
    },
  ),
];

async function inspected(bytes: Uint8Array) {
  // Of use to one route: no cold start loads it.
  const { BrokenImage, inspectImage } = await import('../../images/sniff.ts');
  return inspectImage(bytes, MAX_UPLOAD_PIXELS).catch((error: unknown) => {
    if (!(error instanceof BrokenImage)) throw error;
    throw new AppError('invalid_image', `The file ${error.message}; it must be a whole image`, {
      field: 'image',
    });
  });
}

function notFound(): AppError {
  return new AppError('image_not_found', 'There is no upload of this name');
}

function tooLarge(): never {
  throw new AppError('body_too_large', `An image may have at most ${MAX_UPLOAD_BYTES / MB} MB`);
}
