// POST /api/v2/assets/from-upload: an asset over a file that its owner has put by a link (POST /api/upload/link), which is how
// files beyond one request come in; the contract leaves these open. Its hash is null: no process of ours has seen all of it.

import type { Context } from 'hono';
import { assetIdFrom, isUploadName } from '../../core/names.ts';
import type { ApiEnv } from '../deps.ts';
import { jsonObject } from '../http/body.ts';
import { exactJson } from '../http/exact-json.ts';
import { setHeaders } from '../http/headers.ts';
import { originOf } from '../http/link-origin.ts';
import { assetView } from './asset-view.ts';
import { lifeOf, mint, pathOf, typeOf } from './assets.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';

export async function assetFromUpload(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const caller = c.get('caller');
  const { upload, file_path: path, content_type: type, expires_in: expiresIn } = await jsonObject(c);
  if (typeof upload !== 'string' || !isUploadName(upload))
    throw new V2Error(422, 'invalid_request', '"upload" must be the name that POST /api/upload/link gave');
  const asked = { ...typeOf(type ?? 'application/octet-stream'), ...pathOf(path), ...lifeOf(expiresIn) };
  setHeaders(c, await deps.limits.request(caller));
  const key = await deps.uploads.use(caller.owner, upload, 'upload');
  const head = key === undefined ? undefined : await deps.images.head(key);
  if (!head) throw new V2Error(404, 'blob_not_found', 'You have put no file of this name here');
  const asset = await mint(deps, caller, {
    ...asked,
    assetId: assetIdFrom({ random: deps.random(16) }),
    upload,
    // Counted under a name of its own.
    hash: `sha256:${upload.slice(0, 64)}`,
    sizeBytes: head.sizeBytes,
    // It may be read by its name too.
    isShared: true,
  });
  const view = await assetView(deps, { asset }, originOf(deps.settings, c), { created_new: false });
  return exactJson(c, view, 201);
}
