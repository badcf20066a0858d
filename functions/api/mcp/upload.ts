// `upload_image`: an image for a workflow to read, inside the call. What is larger goes by POST /api/upload/link.

import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { MAX_UPLOAD_BYTES } from '../../core/limits.ts';
import { MB } from '../../core/quota.ts';
import { uploadImage } from '../admission/upload-image.ts';
import { setHeaders } from '../http/headers.ts';
import { refuseOthers, textOf } from './arguments.ts';
import type { Tool } from './tool.ts';

/** As base64. */
export const MAX_UPLOAD_TEXT = Math.ceil(MAX_UPLOAD_BYTES / 3) * 4;

const DATA_URL = /^data:[^,]{0,100};base64,/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

export const uploadTool: Tool = {
  name: 'upload_image',
  title: 'Upload an image',
  scope: 'generate',
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  describe: () =>
    `Takes a PNG, JPEG or WebP of at most ${MAX_UPLOAD_BYTES / MB} MB and gives the name by which an image input of generate reads it. The same file twice is one`,
  inputs: {
    image: { type: 'string', description: 'The file in base64; a data: URL is one too' },
  },
  required: ['image'],
  async call(deps, { c }, given) {
    refuseOthers(given, Object.keys(this.inputs), this.required);
    const caller = c.get('caller');
    const text = textOf(given, 'image')!.replace(DATA_URL, '').replaceAll(/\s/g, '');
    if (text.length > MAX_UPLOAD_TEXT) refuseLargeUpload();
    if (!BASE64.test(text)) throw invalid('image', 'must be a file in base64');
    setHeaders(c, await deps.limits.request(caller));
    const name = await uploadImage(deps, caller, Buffer.from(text, 'base64'));
    return { content: [{ type: 'text', text: JSON.stringify({ name }) }] };
  },
};

export function refuseLargeUpload(): never {
  throw new AppError(
    'body_too_large',
    `An image may have at most ${MAX_UPLOAD_BYTES / MB} MB here; a larger file goes by POST /api/upload/link`,
    { field: 'image' },
  );
}
