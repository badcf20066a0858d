// Routes of images that were made: the bytes, the list.

import { Hono } from 'hono';
import { type Caller, sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import type { JobState } from '../../core/job.ts';
import { jobIdOfImage, keys } from '../../core/names.ts';
import { RangeNotSatisfiable } from '../../images/images.ts';
import { cursorOf, pageQuery, totalOf } from '../http/body.ts';
import { needs } from '../http/access.ts';
import { type ApiEnv, type Shared } from '../deps.ts';
import { originOf } from '../http/origin.ts';
import { readAt, tooManyReaders } from '../http/readers.ts';
import { askedOwner, type Listing, pageOfOwned, PLACE } from './owned.ts';
import { linkOf } from './views.ts';

export function imageRoutes(deps: Shared) {
  const { jobs, images, servedImages, readers, settings } = deps;
  return new Hono<ApiEnv>()
    .get('/image/:filename', needs('read'), async (c) => {
      const filename = c.req.param('filename');
      const state = await stateOfImage(deps, filename, c.get('caller'));
      const redirect = async () =>
        c.redirect(await linkOf(deps, state, filename, originOf(settings, c)), 302);
      if (c.req.query('redirect') === '1') return redirect();
      const cut = () => void c.env?.outgoing?.socket?.resetAndDestroy();
      const reader = readers.take(c.get('caller').owner, cut);
      if (!reader) {
        // S3 itself has places enough.
        if (settings.links === 'bucket') return redirect();
        throw tooManyReaders();
      }
      const stored = await servedImages
        .get(keys.image(state.jobId, state.attempt, filename), {
          range: c.req.header('range'),
          ifNoneMatch: c.req.header('if-none-match'),
        })
        .catch((error: unknown) => {
          reader.free();
          if (!(error instanceof RangeNotSatisfiable)) throw error;
          c.header('Content-Range', `bytes */${error.sizeBytes}`);
          throw new AppError('range_not_satisfiable', `The image has ${error.sizeBytes} bytes`);
        });
      // Hono answers HEAD with the head of a GET; a body that nobody reads would hold its connection to the bucket.
      const head = c.req.method === 'HEAD';
      if (head || typeof stored !== 'object') reader.free();
      if (stored === 'not-modified') return c.body(null, 304);
      if (!stored) throw notFound();
      if (head) await stored.body.cancel();
      return new Response(head ? null : readAt(stored.body, reader), {
        status: stored.partial ? 206 : 200,
        headers: {
          'Content-Type': stored.contentType,
          'Content-Length': String(stored.contentLength),
          'Content-Disposition': `inline; filename="${filename}"`,
          ETag: stored.etag,
          'Last-Modified': stored.lastModified.toUTCString(),
          'Accept-Ranges': 'bytes',
          // An image's name belongs to one attempt's bytes for ever.
          'Cache-Control': 'private, max-age=31536000, immutable',
          ...(stored.contentRange === undefined ? {} : { 'Content-Range': stored.contentRange }),
        },
      });
    })

    .get('/outputs', needs('read'), async (c) => {
      const owner = askedOwner(c);
      const [page, total] = await Promise.all([
        pageOfOwned(jobs, owner, pageQuery(c, PLACE), IMAGES),
        deps.totals.of(owner, IMAGES),
      ]);
      return c.json({
        images: page.items,
        ...totalOf('total', total),
        output_dir: images.outputDirectory,
        next_cursor: page.next === undefined ? null : cursorOf(page.next),
      });
    });
}

const IMAGES: Listing<string> = {
  of: ['completed'],
  // Newest first, within a batch too.
  itemsOf: (state) => (state.images ?? []).map(({ filename }) => filename).toReversed(),
  count: ({ images }) => images,
};

function notFound(): AppError {
  return new AppError('image_not_found', 'Image not found');
}

/** The name alone finds the job, and the job says whether it has such an image. */
async function stateOfImage({ jobs }: Shared, filename: string, caller: Caller): Promise<JobState> {
  const jobId = jobIdOfImage(filename);
  const state = jobId === undefined ? undefined : await jobs.readState(jobId);
  if (!state?.images?.some((image) => image.filename === filename) || !sees(caller, state.owner))
    throw notFound();
  return state;
}
