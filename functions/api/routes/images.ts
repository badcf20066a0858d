// Routes of images that were made: the bytes, the list.

import { type Caller, sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { imagesOf, type JobOutput, type JobState } from '../../core/job.ts';
import { LINK_LIFETIME_SECONDS, MAX_STREAMED_BYTES } from '../../core/limits.ts';
import { jobIdOfImage, keys } from '../../core/names.ts';
import { letGo, RangeNotSatisfiable } from '../../images/images.ts';
import { safetyOf } from '../../images/links.ts';
import type { Listing } from '../caches/totals.ts';
import { json } from '../http/answers.ts';
import { originOf } from '../http/link-origin.ts';
import { cursorOf, owner, page, part, text } from '../http/parameters.ts';
import { readAt, tooManyReaders } from '../http/readers.ts';
import { route } from '../http/route.ts';
import { pageOfOwned, PLACE, totalOf } from './owned.ts';
import { linkOf } from './views.ts';
import type { Shared } from './shared.ts';

const BINARY = { type: 'string', format: 'binary' };
const BYTES = Object.fromEntries(
  ['image/*', 'video/*', 'audio/*', 'text/*', 'model/*', 'application/*'].map((type) => [type, BINARY]),
);

export const imageRoutes = (deps: Shared) => [
  route(
    {
      route: 'GET /image/:filename',
      id: 'image',
      tag: 'Images',
      summary: 'The bytes of an image, or of any other output',
      description: 'Its name belongs to these bytes for ever: it may be kept.',
      scope: 'read',
      parameters: {
        filename: part('filename', {
          description: 'As a job’s status or the list of outputs gives it',
          example: 'Flux2_Turbo_550e8400e29b81d4a716446655440000_00001_.png',
        }),
        redirected: text({
          name: 'redirect',
          in: 'query',
          description: '1: a redirection to a presigned link instead of the bytes',
          schema: { type: 'string', enum: ['0', '1'] },
        }),
        range: text({
          name: 'Range',
          in: 'header',
          description: 'A part of the bytes, such as bytes=0-1023',
        }),
        ifNoneMatch: text({ name: 'If-None-Match', in: 'header', description: 'The ETag of a copy at hand' }),
      },
      answers: {
        200: {
          description: 'The image',
          content: BYTES,
          headers: {
            ETag: 'Of these bytes',
            'Content-Disposition':
              'With the file name; attachment for what a browser might run, as SVG and HTML',
            'Accept-Ranges': 'bytes',
          },
        },
        206: {
          description: 'The part that was asked for',
          content: BYTES,
          headers: { 'Content-Range': 'Which part of how much' },
        },
        302: {
          description:
            'To a presigned link: as asked, where too many read, or for what is too large for a Lambda',
          headers: { Location: `Without a key, for ${LINK_LIFETIME_SECONDS / 60} minutes` },
        },
        304: { description: 'The copy at hand is the same' },
      },
      errors: ['image_not_found', 'range_not_satisfiable', 'too_many_readers'],
    },
    async (c, { filename, redirected, range, ifNoneMatch }) => {
      const { servedImages, readers, settings } = deps;
      const { state, output } = await findOutput(deps, filename, c.get('caller'));
      const redirect = async () => c.redirect(await linkOf(deps, state, output, originOf(settings, c)), 302);
      const head = c.req.method === 'HEAD';
      const isTooLarge = settings.links === 'bucket' && output.sizeBytes > MAX_STREAMED_BYTES && !head;
      if (redirected === '1' || isTooLarge) return redirect();
      const cut = () => void c.env?.outgoing?.socket?.resetAndDestroy();
      const reader = readers.take(c.get('caller').owner, cut);
      if (!reader) {
        // S3 itself has places enough.
        if (settings.links === 'bucket') return redirect();
        throw tooManyReaders();
      }
      const stored = await servedImages
        .get(keys.image(state.jobId, state.attempt, filename), {
          range,
          ifNoneMatch,
        })
        .catch((error: unknown) => {
          reader.free();
          if (!(error instanceof RangeNotSatisfiable)) throw error;
          c.header('Content-Range', `bytes */${error.sizeBytes}`);
          throw new AppError('range_not_satisfiable', `The image has ${error.sizeBytes} bytes`);
        });
      // Hono answers HEAD with the head of a GET; an unread body would keep its connection to the bucket.
      if (head || typeof stored !== 'object') reader.free();
      if (stored === 'not-modified') return c.body(null, 304);
      if (!stored) throw notFound();
      if (head) await letGo(stored);
      const status = stored.partial ? 206 : 200;
      const headers = {
        'Content-Type': stored.contentType,
        'Content-Length': String(stored.contentLength),
        ...safetyOf(stored.contentType, filename),
        ETag: stored.etag,
        'Last-Modified': stored.lastModified.toUTCString(),
        'Accept-Ranges': 'bytes',
        // An image's name belongs to one attempt's bytes for ever.
        'Cache-Control': 'private, max-age=31536000, immutable',
        ...(stored.contentRange !== undefined && { 'Content-Range': stored.contentRange }),
      };
      return head ? c.body(null, status, headers) : c.body(readAt(stored.body, reader), status, headers);
    },
  ),

  route(
    {
      route: 'GET /outputs',
      id: 'outputs',
      tag: 'Images',
      summary: 'Images, newest first',
      scope: 'read',
      parameters: { ...page(PLACE), owner },
      answers: { 200: json('A page of file names', 'Outputs') },
      errors: ['invalid_field'],
    },
    async (_, { owner, ...asked }) => {
      const [found, total] = await Promise.all([
        pageOfOwned(deps.jobs, owner, asked, IMAGES),
        deps.totals.of(owner, IMAGES),
      ]);
      return {
        images: found.items,
        ...totalOf('total', total),
        output_dir: deps.images.outputDirectory,
        next_cursor: cursorOf(found.next),
      };
    },
  ),
];

const IMAGES: Listing<string> = {
  of: ['completed'],
  // Newest first, within a batch too.
  itemsOf: (state) =>
    imagesOf(state)
      .map(({ filename }) => filename)
      .toReversed(),
  count: ({ images }) => images,
};

function notFound(): AppError {
  return new AppError('image_not_found', 'Image not found');
}

/** The name alone finds the job, and the job says whether it has such an output. */
async function findOutput(
  { jobs }: Shared,
  filename: string,
  caller: Caller,
): Promise<{ state: JobState; output: JobOutput }> {
  const jobId = jobIdOfImage(filename);
  const state = jobId === undefined ? undefined : await jobs.readState(jobId);
  const output = state?.outputs?.find((one) => one.filename === filename);
  if (!state || !output || !sees(caller, state.owner)) throw notFound();
  return { state, output };
}
