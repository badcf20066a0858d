// Routes of images that were made: the bytes, the list.

import { AppError } from '../../core/errors.ts';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { PLACE_AMONG_OUTPUTS } from '../../core/names.ts';
import { derivedKey, THUMBNAIL } from '../admission/derived.ts';
import { findOutput } from '../admission/own-output.ts';
import { json } from '../http/answers.ts';
import { imageNotFound, KEPT, outputBytes, redirectToOutput } from '../http/output-bytes.ts';
import { owner, page, part, text } from '../http/parameters.ts';
import { tooManyReaders } from '../http/readers.ts';
import { route } from '../http/route.ts';
import { storedBytes } from '../http/stored-bytes.ts';
import type { Shared } from './shared.ts';

const BINARY = { type: 'string', format: 'binary' };
const BYTES = Object.fromEntries(
  ['image/*', 'video/*', 'audio/*', 'text/*', 'model/*', 'application/*'].map((type) => [type, BINARY]),
);

const filename = part('filename', {
  description: 'As a job’s status or the list of outputs gives it',
  example: 'Flux2_Turbo_550e8400e29b81d4a716446655440000_00001_.png',
});
const ifNoneMatch = text({
  name: 'If-None-Match',
  in: 'header',
  description: 'The ETag of a copy at hand',
});

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
        filename,
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
        ifNoneMatch,
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
      const found = await findOutput(deps, c.get('caller'), filename);
      if (redirected === '1') return redirectToOutput(deps, c, found);
      return outputBytes(deps, c, found, { range, ifNoneMatch });
    },
  ),

  route(
    {
      route: 'GET /image/:filename/thumbnail',
      id: 'thumbnail',
      tag: 'Images',
      summary: 'An image at most 320 pixels wide and high, as WebP',
      description:
        'Of outputs that are PNG, JPEG or WebP, of an animation the first frame. Made when it is first asked for; it may be kept. One that is there counts as a tenth of a read.',
      scope: 'read',
      reads: 0.1,
      parameters: {
        filename,
        ifNoneMatch,
      },
      answers: {
        200: {
          description: 'The thumbnail',
          content: { 'image/webp': BINARY },
          headers: { ETag: 'Of these bytes' },
        },
        304: { description: 'The copy at hand is the same' },
      },
      errors: ['image_not_found', 'not_convertible', 'too_many_conversions', 'too_many_readers'],
    },
    async (c, { filename, ifNoneMatch }) => {
      const found = await findOutput(deps, c.get('caller'), filename);
      const answer = () =>
        storedBytes(deps, c, {
          key: derivedKey(found, THUMBNAIL),
          asked: { range: undefined, ifNoneMatch },
          headers: () => KEPT,
          notFound: imageNotFound,
          full: () => {
            throw tooManyReaders();
          },
        });
      return answer().catch(async (error: unknown) => {
        if (!(error instanceof AppError && error.code === 'image_not_found')) throw error;
        // A page of them is one look at a gallery; what is made takes a processor's time.
        deps.reads.take(c.get('caller'), 1);
        await deps.derived.make(found, THUMBNAIL);
        return answer();
      });
    },
  ),

  route(
    {
      route: 'GET /image/:filename/metadata',
      id: 'pictureMetadata',
      tag: 'Images',
      summary: 'What ComfyUI wrote into an image',
      description:
        'Of PNG and WebP, and without what a job adds: either opens in ComfyUI’s page. Both are null for a picture without (IMAGE_METADATA=strip), and for other files.',
      scope: 'read',
      parameters: {
        filename,
      },
      answers: { 200: json('What is in it', 'PictureMetadata') },
      errors: ['image_not_found', 'not_convertible'],
    },
    async (c, { filename }) => {
      const found = await findOutput(deps, c.get('caller'), filename);
      // Of use to few calls: no cold start loads it.
      const { pictureMetadata } = await import('../admission/picture-metadata.ts');
      return pictureMetadata(deps, found);
    },
  ),

  route(
    {
      route: 'GET /outputs',
      id: 'outputs',
      tag: 'Images',
      summary: 'Images, newest first',
      scope: 'read',
      parameters: { ...page(PLACE_AMONG_OUTPUTS), owner },
      answers: { 200: json('A page of file names', 'Outputs') },
      errors: ['invalid_field'],
    },
    async (_, { owner, ...asked }) => (await import('./owned.ts')).listOutputs(deps, owner, asked),
  ),
];
