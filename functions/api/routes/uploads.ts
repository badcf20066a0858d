// Routes of what callers upload for workflows to read: put, list, delete.

import { AppError } from '../../core/errors.ts';
import {
  LINK_LIFETIME_SECONDS,
  MAX_LINKED_BYTES,
  MAX_UPLOAD_BYTES,
  MAX_UPLOAD_PIXELS,
} from '../../core/limits.ts';
import { isUploadName, keys, UPLOAD_NAME } from '../../core/names.ts';
import { MB } from '../../core/quota.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import { keepOf } from '../deps.ts';
import { json, LIMIT_HEADERS } from '../http/answers.ts';
import { cursorOf, object, owner, page, part } from '../http/parameters.ts';
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
      const caller = c.get('caller');
      setHeaders(c, await deps.limits.request(caller));
      // Of use to few calls: no cold start loads them.
      const [{ readFormFile }, { uploadImage }] = await Promise.all([
        import('../http/multipart.ts'),
        import('../admission/upload-image.ts'),
      ]);
      const { bytes } = await readFormFile(c.req.raw, 'image', MAX_UPLOAD_BYTES, tooLarge);
      const name = await uploadImage(deps, caller, bytes);
      return { name, subfolder: '', type: 'input' };
    },
  ),

  route(
    {
      route: 'POST /upload/link',
      id: 'uploadByLink',
      tag: 'Images',
      summary: 'A link by which a large file is put',
      description: `For images, masks, video, sound and any other file that ComfyUI reads, up to ${MAX_LINKED_BYTES / MB} MB: PUT exactly this file to \`url\` with the \`headers\`, within ${LINK_LIFETIME_SECONDS / 60} minutes, without a key; then its name is that of an upload. The link takes it once, and no other bytes. What is here already need not be sent again.`,
      scope: 'generate',
      body: object({
        type: 'object',
        required: ['filename', 'size_bytes', 'sha256'],
        additionalProperties: false,
        properties: {
          filename: {
            type: 'string',
            maxLength: 255,
            description: 'Its extension is kept: loaders go by it',
          },
          size_bytes: { type: 'integer', minimum: 1, maximum: MAX_LINKED_BYTES },
          sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'Of the file, in hex' },
        },
      }),
      answers: { 200: json('Where to put it', 'UploadLink', LIMIT_HEADERS) },
      errors: ['missing_field', 'unknown_field', 'invalid_field', 'too_many_requests', 'uploads_used_up'],
    },
    async (c, { body }) => (await import('./upload-by-link.ts')).uploadByLink(deps, c, body),
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

function notFound(): AppError {
  return new AppError('image_not_found', 'There is no upload of this name');
}

function tooLarge(): never {
  throw new AppError('body_too_large', `An image may have at most ${MAX_UPLOAD_BYTES / MB} MB`);
}
