// GET /view: the bytes of an output, by the name that the history gives it.

import { AppError } from '../../core/errors.ts';
import { findOutput } from '../admission/own-output.ts';
import { imageNotFound, outputBytes } from '../http/output-bytes.ts';
import type { Mounted } from '../http/route.ts';
import type { WireDeps } from './deps.ts';

/** The folders of a ComfyUI; a job's own input is none of them. */
const TYPES = ['output', 'temp'];

export const viewRoutes = (deps: WireDeps): Mounted[] => [
  {
    route: 'GET /view',
    scope: 'read',
    async handle(c) {
      const { filename = '', type = 'output', subfolder = '' } = c.req.query();
      if (filename.startsWith('/') || filename.includes('..') || subfolder.includes('..'))
        throw new AppError('bad_request', 'A name leads to no other folder');
      if (!TYPES.includes(type) || subfolder !== '') throw imageNotFound();
      const found = await findOutput(deps, c.get('caller'), filename);
      const [range, ifNoneMatch] = [c.req.header('range'), c.req.header('if-none-match')];
      return outputBytes(deps, c, found, { range, ifNoneMatch });
    },
  },
];
