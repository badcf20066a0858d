// GET /view: the bytes of an output, by the name that the history gives it, or of a file that was uploaded.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { fileOf } from '../../core/preflight/files.ts';
import { safetyOf } from '../../images/links.ts';
import { findOutput } from '../admission/own-output.ts';
import type { ApiEnv } from '../deps.ts';
import { imageNotFound, outputBytes } from '../http/output-bytes.ts';
import { tooManyReaders } from '../http/readers.ts';
import type { Mounted } from '../http/route.ts';
import { storedBytes } from '../http/stored-bytes.ts';
import type { WireDeps } from './deps.ts';
import { findNamed } from './named-files.ts';

export const viewRoutes = (deps: WireDeps): Mounted[] => [
  {
    route: 'GET /view',
    scope: 'read',
    async handle(c) {
      const { folder, path } = fileAskedFor(c);
      const asked = { range: c.req.header('range'), ifNoneMatch: c.req.header('if-none-match') };
      const caller = c.get('caller');
      const named =
        folder === 'input' || folder === 'temp'
          ? await findNamed(deps, caller.owner, { folder, path })
          : undefined;
      if (!named) {
        if (folder !== 'output' && folder !== 'temp') throw imageNotFound();
        return outputBytes(deps, c, await findOutput(deps, caller, path), asked);
      }
      return storedBytes(deps, c, {
        key: named.key,
        asked,
        // Another file may get its name.
        headers: (contentType) => ({
          ...safetyOf(contentType, named.filename),
          'Cache-Control': 'private, no-cache',
        }),
        notFound: imageNotFound,
        full() {
          throw tooManyReaders();
        },
      });
    },
  },
];

/** @throws AppError bad_request */
function fileAskedFor(c: Context<ApiEnv>): { folder: string; path: string } {
  const { filename = '', type = 'output', subfolder = '' } = c.req.query();
  const file = fileOf(subfolder === '' ? filename : `${subfolder}/${filename}`);
  if (!file || filename.startsWith('/') || filename.includes('..') || subfolder.includes('..'))
    throw new AppError('bad_request', 'A name leads to no other folder');
  // The folder may stand behind the name.
  return { folder: /\[(input|output|temp)\]$/.test(filename) ? file.folder : type, path: file.path };
}
