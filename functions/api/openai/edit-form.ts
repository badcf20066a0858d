// The form of an edit: its images, its mask, and every other field as JSON of a generation would have it.

import { AppError } from '../../core/errors.ts';
import { MB } from '../../core/quota.ts';
import { readParts } from '../http/form-parts.ts';
import { OpenAIError } from './errors.ts';

/** Of all of a form: its images are in memory until they are stored. */
export const MAX_EDIT_BYTES = 50 * MB;
export const MAX_EDIT_IMAGES = 16;

/** One more image than may come, so that it is refused by its name. */
const LIMITS = { files: MAX_EDIT_IMAGES + 4, fields: 100, parts: 120, fieldSize: 256 * 1024 };

export interface EditForm {
  images: Uint8Array[];
  mask: Uint8Array | undefined;
  fields: Record<string, unknown>;
}

/** Of OpenAI's; a template's own inputs are read from texts anyway. */
const NUMBERS = ['n', 'partial_images', 'output_compression'];
const MAY_BE_EMPTY = [
  'model',
  'size',
  'quality',
  'background',
  'input_fidelity',
  'moderation',
  'output_format',
  'response_format',
  'stream',
];

/** @throws AppError unsupported_media_type, OpenAIError */
export async function readEditForm(request: Request): Promise<EditForm> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^multipart\/form-data\b/i.test(type))
    throw new AppError('unsupported_media_type', 'Send the images as multipart/form-data');
  const files: { name: string; pieces: Buffer[] }[] = [];
  const fields: [name: string, value: string][] = [];
  await readParts(request, type, {
    limits: LIMITS,
    unreadable: (why) =>
      new OpenAIError(
        400,
        'invalid_request_error',
        'invalid_form',
        `This form ${why}: send multipart/form-data`,
      ),
    onFile(name, bytes) {
      const pieces: Buffer[] = [];
      files.push({ name, pieces });
      bytes.on('data', (piece: Buffer) => pieces.push(piece));
    },
    onField: (name, value) => fields.push([name, value]),
    isEnough: () => false,
  });

  const form: EditForm = { images: [], mask: undefined, fields: fieldsOf(fields) };
  for (const { name, pieces } of files) {
    const bytes = Buffer.concat(pieces);
    if (isImage(name)) form.images.push(bytes);
    else if (name === 'mask' && form.mask)
      throw OpenAIError.invalid('mask', 'invalid_value', 'must be one file');
    else if (name === 'mask') form.mask = bytes;
    else {
      const param = name.slice(0, 60);
      throw OpenAIError.invalid(
        param,
        'unknown_parameter',
        'is no file of an edit: they are image, image[] and mask',
      );
    }
  }
  return form;
}

/** Clients write several as `image[]`, or number them. */
function isImage(name: string): boolean {
  return /^image(\[\d{0,3}\])?$/.test(name);
}

function fieldsOf(sent: readonly (readonly [string, string])[]): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  const labels = new Map<string, string>();
  for (const [name, text] of sent) {
    if (isImage(name) || name === 'mask')
      throw OpenAIError.invalid(name, 'invalid_type', 'must be a file, with its file name');
    const label = /^metadata\[(.+)\]$/.exec(name)?.[1];
    if (label === undefined ? fields.has(name) : labels.has(label))
      throw OpenAIError.invalid(name.slice(0, 60), 'invalid_value', 'came twice');
    if (label === undefined) fields.set(name, valueOf(name, text));
    else labels.set(label, text);
  }
  if (labels.size > 0 && !fields.has('metadata')) fields.set('metadata', Object.fromEntries(labels));
  return Object.fromEntries(fields);
}

/** What is none of what its field takes stays a text, to be refused. Python's clients write None as nothing. */
function valueOf(name: string, text: string): unknown {
  if (text === '' && [...NUMBERS, ...MAY_BE_EMPTY].includes(name)) return null;
  if (NUMBERS.includes(name)) return /^-?\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
  if (name === 'stream' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
