// Routes of what callers upload for workflows to read: put, list, delete.

import { createHash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { AppError } from '../../core/errors.ts';
import { MAX_UPLOAD_BYTES, MAX_UPLOAD_PIXELS } from '../../core/limits.ts';
import { isUploadName, keys, UPLOAD_NAME, uploadName } from '../../core/names.ts';
import { inspectImage } from '../../images/sniff.ts';
import { BrokenImage } from '../../images/structure/walk.ts';
import { needs } from '../http/access.ts';
import { cursorOf, limitBody, pageQuery } from '../http/body.ts';
import { type ApiEnv, keepOf, type Shared } from '../deps.ts';
import { readFormFile } from '../http/multipart.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import { askedOwner } from './owned.ts';

/** What multipart puts around a file. */
const FORM_OVERHEAD = 16 * 1024;

export function uploadRoutes(deps: Shared) {
  const { images, jobs, limits, uploadRoom, log } = deps;
  return new Hono<ApiEnv>()
    .post(
      '/upload/image',
      needs('generate'),
      limitBody(MAX_UPLOAD_BYTES + FORM_OVERHEAD, tooLarge),
      async (c) => {
        const caller = c.get('caller');
        const tell = (name: string, value: string) => c.header(name, value);
        await limits.request(caller, tell);
        const { bytes } = await readFormFile(c.req.raw, 'image', MAX_UPLOAD_BYTES, tooLarge);
        const type = await inspectImage(bytes, MAX_UPLOAD_PIXELS).catch((error: unknown) => {
          if (!(error instanceof BrokenImage)) throw error;
          throw new AppError('invalid_image', `The file ${error.message}; it must be a whole image`, {
            field: 'image',
          });
        });
        const name = uploadName(createHash('sha256').update(bytes).digest('hex'), type.extension);
        const key = keys.upload(caller.owner, name);
        const meta = { contentType: type.contentType };
        // What is there is counted, and becomes young again.
        if (await images.head(key)) await images.put(key, bytes, meta);
        else {
          const settle = await uploadRoom.begin(caller, { name, bytes: bytes.length }, tell);
          await settle(await images.putOnce(key, bytes, meta));
        }
        return c.json({ name, subfolder: '', type: 'input' });
      },
    )

    .get('/uploads', needs('read'), async (c) => {
      const owner = askedOwner(c);
      const { limit, cursor } = pageQuery(c, UPLOAD_NAME);
      const prefix = keys.upload(owner, '');
      const page = await images.page(prefix, limit, cursor === undefined ? undefined : prefix + cursor);
      const names = page.items.map(({ key }) => key.slice(prefix.length));
      return c.json({
        uploads: page.items.map(({ sizeBytes, lastModified }, index) => ({
          name: names[index],
          size_bytes: sizeBytes,
          uploaded_at: lastModified.toISOString(),
          expires_at: new Date(lastModified.getTime() + keepOf(deps)).toISOString(),
        })),
        next_cursor: page.more ? cursorOf(names.at(-1)!) : null,
      });
    })

    .delete('/upload/image/:name', needs('generate'), async (c) => {
      const owner = askedOwner(c);
      const name = nameOf(c);
      const key = keys.upload(owner, name);
      if (!(await images.head(key))) throw notFound();
      await refuseIfRead(jobs, owner, (one) => one === key, 'upload_in_use');
      // No write comes before it: on a full disk it makes the room that a write needs.
      await images.delete([key]);
      await uploadRoom.freed(owner);
      log.info('upload removed', { owner, name });
      return c.json({ status: 'success', message: `Upload ${name} removed` });
    });
}

function nameOf(c: Context<ApiEnv>): string {
  const name = c.req.param('name') ?? '';
  if (!isUploadName(name)) throw notFound();
  return name;
}

function notFound(): AppError {
  return new AppError('image_not_found', 'There is no upload of this name');
}

function tooLarge(): never {
  throw new AppError('body_too_large', 'An image may have at most 4 MB');
}
