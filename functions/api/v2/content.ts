// GET /api/v2/assets/{id}/content: the bytes, or where S3 has them. Always as a file to save: an upload is what its caller says that
// it is, and a page of this origin must not run it.

import type { Context } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { originOf } from '../http/link-origin.ts';
import { tooManyReaders } from '../http/readers.ts';
import { storedBytes } from '../http/stored-bytes.ts';
import { assetNotFound, findAsset, keyOfAsset, nameOfAsset } from './asset-view.ts';
import type { V2Deps } from './deps.ts';

export async function assetContent(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const { settings, presigner } = deps;
  const found = await findAsset(deps, c.get('caller'), c.req.param('id') ?? '');
  const key = keyOfAsset(found);
  const filename = nameOfAsset(found);
  if (settings.links === 'bucket')
    return c.redirect(await presigner.link({ endpoint: originOf(settings, c), key, filename }), 302);
  return storedBytes(deps, c, {
    key,
    asked: { range: c.req.header('range') },
    headers: () => ({
      'Content-Disposition': `attachment; filename="${filename.replaceAll(/[^\x20-\x7e]|["\\]/g, '_')}"`,
      'Cache-Control': 'private, no-cache',
    }),
    notFound: assetNotFound,
    full() {
      throw tooManyReaders();
    },
  });
}
