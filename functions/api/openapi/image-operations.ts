// The operations of images and of what has been.

import { MAX_UPLOAD_BYTES } from '../../core/limits.ts';
import { cursor, jobId, json, limit, LIMIT_HEADERS, type Operation, owner } from './operation.ts';

const bytes = { type: 'string', format: 'binary' };
const image = { 'image/*': bytes };

export const imageOperations: Operation[] = [
  {
    route: 'GET /image/:filename',
    id: 'image',
    tag: 'Images',
    summary: 'The bytes of an image',
    description: 'Its name belongs to these bytes for ever: it may be kept.',
    scope: 'read',
    parameters: [
      {
        name: 'filename',
        in: 'path',
        description: 'As a job’s status or the list of outputs gives it',
        schema: { type: 'string' },
        example: 'Flux2_Turbo_550e8400e29b81d4a716446655440000_00001_.png',
      },
      {
        name: 'redirect',
        in: 'query',
        description: '1: a redirection to a presigned link instead of the bytes',
        schema: { type: 'string', enum: ['0', '1'] },
      },
      {
        name: 'Range',
        in: 'header',
        description: 'A part of the bytes, such as bytes=0-1023',
        schema: { type: 'string' },
      },
      {
        name: 'If-None-Match',
        in: 'header',
        description: 'The ETag of a copy at hand',
        schema: { type: 'string' },
      },
    ],
    answers: {
      200: {
        description: 'The image',
        content: image,
        headers: {
          ETag: 'Of these bytes',
          'Content-Disposition': 'inline, with the file name',
          'Accept-Ranges': 'bytes',
        },
      },
      206: {
        description: 'The part that was asked for',
        content: image,
        headers: { 'Content-Range': 'Which part of how much' },
      },
      302: {
        description: 'To a presigned link, as asked or where too many read',
        headers: { Location: 'Without a key, for 15 minutes' },
      },
      304: { description: 'The copy at hand is the same' },
    },
    errors: ['image_not_found', 'range_not_satisfiable', 'too_many_readers'],
  },
  {
    route: 'GET /outputs',
    id: 'outputs',
    tag: 'Images',
    summary: 'Images, newest first',
    scope: 'read',
    parameters: [limit, cursor, owner],
    answers: { 200: json('A page of file names', 'Outputs') },
    errors: ['invalid_field'],
  },
  {
    route: 'POST /upload/image',
    id: 'uploadImage',
    tag: 'Images',
    summary: 'Upload an image for a workflow to use',
    description:
      'PNG, JPEG or WebP by its content, at most 4 MB and 16 megapixels. The same file twice is one. Kept 30 days after its last use.',
    scope: 'generate',
    body: {
      type: 'multipart/form-data',
      schema: {
        type: 'object',
        required: ['image'],
        properties: { image: { ...bytes, maxLength: MAX_UPLOAD_BYTES } },
      },
    },
    answers: { 200: json('Its name here', 'Uploaded', LIMIT_HEADERS) },
    errors: ['missing_field', 'invalid_image', 'too_many_requests', 'uploads_used_up'],
  },
  {
    route: 'GET /uploads',
    id: 'uploads',
    tag: 'Images',
    summary: 'Images that were uploaded',
    scope: 'read',
    parameters: [limit, cursor, owner],
    answers: { 200: json('A page of uploads', 'Uploads') },
    errors: ['invalid_field'],
  },
  {
    route: 'DELETE /upload/image/:name',
    id: 'removeUpload',
    tag: 'Images',
    summary: 'Remove an upload for good',
    description:
      'One that a job reads which has not ended is refused: cancel the job first. A job that is accepted at this very moment fails as `input_gone`.',
    scope: 'generate',
    parameters: [
      {
        name: 'name',
        in: 'path',
        description: 'As the upload or the list gave it',
        schema: { type: 'string' },
        example: `${'0123456789abcdef'.repeat(4)}.png`,
      },
      owner,
    ],
    answers: { 200: json('Removed', 'Removed') },
    errors: ['image_not_found', 'upload_in_use'],
  },
  {
    route: 'GET /history',
    id: 'history',
    tag: 'History',
    summary: 'Jobs that ran to an end, newest first',
    description: 'Shaped like ComfyUI’s own history.',
    scope: 'read',
    parameters: [limit, cursor, owner],
    answers: { 200: json('A page of jobs', 'History') },
    errors: ['invalid_field'],
  },
  {
    route: 'DELETE /history/:id',
    id: 'removeJob',
    tag: 'History',
    summary: 'Remove a job’s record and images for good',
    scope: 'generate',
    parameters: [jobId],
    answers: { 200: json('Removed', 'Removed') },
    errors: ['job_not_found', 'not_ended', 'image_in_use'],
  },
];
