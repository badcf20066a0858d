// POST /upload/image: a file of any kind under a name of its client's, as ComfyUI stores it in its input folder.

import { parse } from 'node:path/posix';
import { AppError } from '../../core/errors.ts';
import { MAX_ASSET_BYTES } from '../../core/limits.ts';
import { fileOf } from '../../core/preflight/files.ts';
import { MB } from '../../core/quota.ts';
import { exactJson } from '../http/exact-json.ts';
import { FORM_OVERHEAD, type FileForm, withFileForm } from '../http/file-form.ts';
import { setHeaders } from '../http/headers.ts';
import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';
import { refusedFor } from './errors.ts';
import { type FileName, type NamedFolder, putNamed } from './named-files.ts';

const MAX_PATH = 512;
/** "photo (1).png", "photo (2).png", … of as many other files. */
const MAX_NAMESAKES = 100;

export const uploadRoutes = (deps: WireDeps): Mounted[] => [
  {
    route: 'POST /upload/image',
    scope: 'generate',
    body: { limit: { bytes: MAX_ASSET_BYTES + FORM_OVERHEAD, tooLarge } },
    errors: ['too_many_requests'],
    async handle(c) {
      const caller = c.get('caller');
      setHeaders(c, await deps.limits.request(caller));
      const rules = { field: 'image', maxBytes: MAX_ASSET_BYTES, tooLarge, unreadable: refuse };
      return withFileForm(c.req.raw, rules, async (form) => {
        const { folder, subfolder, filename, overwrite } = askedOf(form);
        const { dir, name: stem, ext } = parse(filename);
        for (let more = 0; more <= MAX_NAMESAKES; more += 1) {
          const name = more === 0 ? filename : `${dir && `${dir}/`}${stem} (${more})${ext}`;
          const path = pathOf(subfolder, name);
          if ((await putNamed(deps, caller, { folder, path }, form, overwrite)) === 'put')
            return exactJson(c, { name, subfolder, type: folder });
        }
        throw refuse(
          `There are ${MAX_NAMESAKES} other files of this name: send "overwrite", or another name`,
        );
      });
    },
  },
];

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

function tooLarge(): never {
  throw new AppError('body_too_large', `A file may have at most ${MAX_ASSET_BYTES / MB} MB`);
}
