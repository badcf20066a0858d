// POST /upload/image: a file of any kind under a name of its client's, as ComfyUI stores it in its input folder. POST /upload/mask: an
// image that is there, with another alpha.

import type { Context } from 'hono';
import { createHash } from 'node:crypto';
import { parse } from 'node:path/posix';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ReadableStream } from 'node:stream/web';
import type { Caller } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { MAX_ASSET_BYTES, MAX_UPLOAD_PIXELS } from '../../core/limits.ts';
import { fileOf, type Folder } from '../../core/preflight/files.ts';
import { MB } from '../../core/quota.ts';
import { letGo } from '../../images/images.ts';
import { MEDIA_HEAD } from '../../images/media-type.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import { type FileBytes, FORM_OVERHEAD, type FileForm, withFileForm } from '../http/file-form.ts';
import { setHeaders } from '../http/headers.ts';
import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor } from './errors.ts';
import { keyOfFile } from './graph-files.ts';
import { type FileName, type NamedFolder, putNamed } from './named-files.ts';

const MAX_PATH = 512;
/** "photo (1).png", "photo (2).png", … of as many other files. */
const MAX_NAMESAKES = 100;

/** @param maxBytes of a file, as GET /features says */
export function uploadRoutes(deps: WireDeps, maxBytes: number): Mounted[] {
  const tooLarge = () => refuseLarge(maxBytes);
  const upload = {
    scope: 'generate',
    body: { limit: { bytes: maxBytes + FORM_OVERHEAD, tooLarge } },
    errors: ['too_many_requests'],
  } as const;
  const rules = { field: 'image', maxBytes, tooLarge, unreadable: refuse };
  return [
    {
      ...upload,
      route: 'POST /upload/image',
      handle: (c) => uploaded(deps, c, rules, (form) => Promise.resolve(form)),
    },
    {
      ...upload,
      route: 'POST /upload/mask',
      handle: (c) => uploaded(deps, c, rules, (form) => maskedForm(deps, c.get('caller'), form)),
    },
  ];
}

/** @param bytesOf what is stored of what came */
async function uploaded(
  deps: WireDeps,
  c: Context<ApiEnv>,
  rules: Parameters<typeof withFileForm>[1],
  bytesOf: (form: FileForm) => Promise<FileBytes>,
): Promise<Response> {
  const caller = c.get('caller');
  setHeaders(c, await deps.limits.request(caller));
  return withFileForm(c.req.raw, rules, async (form) => {
    const { folder, subfolder, filename, overwrite } = askedOf(form);
    const bytes = await bytesOf(form);
    const { dir, name: stem, ext } = parse(filename);
    for (let more = 0; more <= MAX_NAMESAKES; more += 1) {
      const name = more === 0 ? filename : `${dir && `${dir}/`}${stem} (${more})${ext}`;
      const path = pathOf(subfolder, name);
      if ((await putNamed(deps, caller, { folder, path }, bytes, overwrite)) === 'put')
        return exactJson(c, { name, subfolder, type: folder });
    }
    throw refuse(`There are ${MAX_NAMESAKES} other files of this name: send "overwrite", or another name`);
  });
}

/** The image that `original_ref` names, with the alpha of the one that came. @throws PromptRefused */
async function maskedForm(deps: WireDeps, caller: Caller, form: FileForm): Promise<FileBytes> {
  const key = await keyOfFile(deps, caller, originalOf(form.fields.get('original_ref')));
  const stored = key === undefined ? undefined : await deps.images.get(key);
  if (!stored || stored === 'not-modified') throw refuse('"original_ref" names no file of yours');
  if (stored.contentLength > MAX_ASSET_BYTES) {
    await letGo(stored);
    refuseLarge(MAX_ASSET_BYTES);
  }
  const [{ masked }, { blake3 }] = await Promise.all([import('./masked.ts'), import('hash-wasm')]);
  const [original, mask] = await Promise.all([wholeOf(stored.body), buffer(form.open())]);
  const bytes = await masked(original, mask);
  if (!bytes)
    throw refuse(
      `The original and its mask must be PNGs of one size, of at most ${MAX_UPLOAD_PIXELS} pixels`,
    );
  return {
    head: bytes.subarray(0, MEDIA_HEAD),
    sizeBytes: bytes.length,
    blake3: await blake3(bytes),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    open: () => Readable.from([bytes]),
  };
}

async function wholeOf(body: ReadableStream | Uint8Array): Promise<Buffer> {
  return body instanceof Uint8Array ? Buffer.from(body) : buffer(body);
}

/** @throws PromptRefused */
function originalOf(given: string | undefined) {
  let ref: unknown;
  try {
    ref = JSON.parse(given ?? '');
  } catch {
    throw refuse('"original_ref" must be JSON: {"filename", "subfolder", "type"}');
  }
  const { filename, subfolder = '', type = 'output' } = { ...(ref as Record<string, unknown>) };
  if (typeof filename !== 'string' || typeof subfolder !== 'string' || !isFolder(type))
    throw refuse('"original_ref" must name a file: {"filename", "subfolder", "type"}');
  return { folder: type, path: pathOf(subfolder, filename) };
}

const isFolder = (type: unknown): type is Folder => ['input', 'output', 'temp'].includes(type as string);

const refuse = (message: string) => refusedFor('invalid_upload', message);

interface Asked {
  folder: NamedFolder;
  subfolder: string;
  filename: string;
  overwrite: boolean;
}

function askedOf({ fields, filename }: FileForm): Asked {
  const folder = fields.get('type') || 'input';
  if (folder !== 'input' && folder !== 'temp') throw refuse('"type" must be input or temp');
  if (filename === '') throw refuse('The file needs a name');
  const overwrite = ['true', '1'].includes(fields.get('overwrite') ?? '');
  return { folder, subfolder: fields.get('subfolder') ?? '', filename, overwrite };
}

/** As a loader reads it. @throws PromptRefused where it leaves the folder, or could be read otherwise */
export function pathOf(subfolder: string, filename: string): FileName['path'] {
  const given = subfolder === '' ? filename : `${subfolder}/${filename}`;
  const isPlain = given.length <= MAX_PATH && !/[\p{Cc}]|\[(input|output|temp)\]$/u.test(given);
  const file = isPlain && !filename.startsWith('/') ? fileOf(given) : undefined;
  if (!file || file.path === '') throw refuse('The name leads to no other folder, and is a plain one');
  return file.path;
}

function refuseLarge(maxBytes: number): never {
  throw new AppError('body_too_large', `A file may have at most ${maxBytes / MB} MB`);
}
