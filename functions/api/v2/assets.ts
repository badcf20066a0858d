// The assets of the Comfy API v2: uploads under ids of their own, over bytes that an owner keeps once. The bytes lie among the
// uploads of the guide's API, by the same name of their content, and count against the same quota.

import type { Context } from 'hono';
import { allows, type Caller } from '../../core/access.ts';
import { assetIdFrom, keys } from '../../core/names.ts';
import type { Asset, UploadAsset } from '../../store/assets.ts';
import { bytesOf, keepBytes } from '../admission/kept-bytes.ts';
import { refuseIfRead } from '../admission/in-use.ts';
import { uploadRenewal } from '../../core/limits.ts';
import { type ApiEnv, keepOf } from '../deps.ts';
import { jsonObject } from '../http/body.ts';
import { exactJson } from '../http/exact-json.ts';
import { type FileForm, withFileForm } from '../http/file-form.ts';
import { setHeaders } from '../http/headers.ts';
import { idempotencyKeyOf } from '../http/idempotency-key.ts';
import { originOf } from '../http/link-origin.ts';
import { assetNotFound, assetView, findAsset } from './asset-view.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';

const HASH = /^blake3:([0-9a-f]{64})$/;
const CONTENT_TYPE = /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/;
const MAX_PATH = 512;
const EXPIRES_IN = { least: 60, most: 604_800 };

const invalid = (message: string) => new V2Error(422, 'invalid_request', message);

/** POST /api/v2/assets. @param maxBytes of the file */
export async function uploadAsset(
  deps: V2Deps,
  c: Context<ApiEnv>,
  maxBytes: number,
  tooLarge: () => never,
): Promise<Response> {
  const caller = c.get('caller');
  const key = idempotencyKeyOf(c);
  setHeaders(c, await deps.limits.request(caller));
  const rules = { field: 'file', maxBytes, tooLarge, unreadable: invalid };
  return withFileForm(c.req.raw, rules, async (form) => {
    const asked = askedOf(form);
    const declared = form.fields.get('expected_hash');
    if (declared !== undefined && declared !== `blake3:${form.blake3}`)
      throw new V2Error(
        409,
        'hash_mismatch',
        `These bytes are blake3:${form.blake3}, not ${declared.slice(0, 80)}`,
      );
    const assetId = assetIdFrom(
      key === undefined ? { random: deps.random(16) } : { owner: caller.owner, key },
    );
    const before = key === undefined ? undefined : await deps.assets.read(assetId, deps.now());
    if (before) return repeated(deps, c, before, form.blake3);
    const { isNew, ...kept } = await keepBytes(deps, caller, form, asked);
    const asset = await mint(deps, caller, {
      ...asked,
      ...kept,
      assetId,
      hash: form.blake3,
      sizeBytes: form.sizeBytes,
    });
    return created(deps, c, asset, isNew);
  });
}

/** The answer to a key whose first answer may have been lost. */
async function repeated(deps: V2Deps, c: Context<ApiEnv>, asset: Asset, hash: string): Promise<Response> {
  if ('jobId' in asset || asset.hash !== hash)
    throw new V2Error(
      422,
      'idempotency_key_reuse',
      'This Idempotency-Key was used with other bytes; use a new key for a new asset',
    );
  c.header('Idempotency-Replayed', 'true');
  return created(deps, c, asset, false);
}

async function created(
  deps: V2Deps,
  c: Context<ApiEnv>,
  asset: UploadAsset,
  isNew: boolean,
): Promise<Response> {
  const view = await assetView(deps, { asset }, originOf(deps.settings, c), { created_new: isNew });
  return exactJson(c, view, isNew ? 201 : 200);
}

/** POST /api/v2/assets/from-hash. */
export async function assetFromHash(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const caller = c.get('caller');
  const { hash: given, file_path: path, expires_in: expiresIn } = await jsonObject(c);
  if (typeof given !== 'string') throw invalid('"hash" must be a text such as blake3:<64 hex digits>');
  setHeaders(c, await deps.limits.request(caller));
  const hash = HASH.exec(given)?.[1];
  const blob = hash === undefined ? undefined : await bytesOf(deps, caller.owner, hash);
  if (hash === undefined || !blob) throw blobNotFound();
  const asset = await mint(deps, caller, {
    assetId: assetIdFrom({ random: deps.random(16) }),
    upload: blob.upload,
    hash,
    sizeBytes: blob.sizeBytes,
    contentType: blob.contentType,
    ...pathOf(path),
    ...lifeOf(expiresIn),
  });
  const view = await assetView(deps, { asset }, originOf(deps.settings, c), { created_new: false });
  return exactJson(c, view, 201);
}

/** HEAD /api/v2/assets/by-hash/{hash}. */
export async function headByHash(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const caller = c.get('caller');
  const hash = HASH.exec(c.req.param('hash') ?? '')?.[1];
  // Who may not mint finds nothing to mint from.
  const may = hash !== undefined && allows(caller, 'generate');
  if (!may || !(await bytesOf(deps, caller.owner, hash))) throw blobNotFound();
  return c.body(null, 200);
}

/** DELETE /api/v2/assets/{id}: the asset, and with the last one over them its bytes. */
export async function deleteAsset(deps: V2Deps, c: Context<ApiEnv>): Promise<Response> {
  const { asset } = await findAsset(deps, c.get('caller'), c.req.param('id') ?? '');
  if ('jobId' in asset)
    throw new V2Error(409, 'asset_in_use', 'The asset is in use and cannot be deleted now');
  const { assetId, owner, hash, upload } = asset;
  const key = keys.upload(owner, upload);
  await refuseIfRead(deps.jobs, owner, (one) => one === key, 'upload_in_use');
  if (!(await deps.assets.remove(assetId))) throw assetNotFound();
  if (await deps.assets.release(owner, hash)) {
    await deps.images.delete([key]);
    await deps.uploadQuota.freed(owner);
  }
  deps.log.info('upload.removed', { owner, filename: upload });
  return c.body(null, 204);
}

function blobNotFound(): V2Error {
  return new V2Error(404, 'blob_not_found', 'You have no bytes of this hash here: upload them');
}

/** What an asset is minted with. */
interface Minted extends Asked {
  assetId: string;
  upload: string;
  hash: string;
  sizeBytes: number;
  isShared?: boolean;
}

export async function mint(
  deps: V2Deps,
  { owner }: Caller,
  { expiresIn, isShared = false, ...minted }: Minted,
): Promise<UploadAsset> {
  const { assets, now } = deps;
  const { hash, upload, sizeBytes } = minted;
  const createdAt = now();
  const keep = keepOf(deps);
  const asset = { ...minted, owner, createdAt, validUntil: createdAt + (expiresIn ?? keep) };
  // The count first: bytes that are counted too often stay too long, the other way round they would be missed.
  await assets.refer(
    owner,
    hash,
    { upload, sizeBytes, ...(isShared && { isShared }) },
    createdAt + keep + uploadRenewal(keep),
  );
  if (await assets.putNew(asset)) return asset;
  // The same key at the same moment: the other one's is as good.
  await assets.release(owner, hash);
  const other = await assets.read(asset.assetId, createdAt);
  if (!other || 'jobId' in other || other.hash !== hash)
    throw new V2Error(422, 'idempotency_key_reuse', 'This Idempotency-Key was used with other bytes');
  return other;
}

interface Asked {
  contentType: string;
  filePath?: string;
  /** ms */
  expiresIn?: number;
}

/** @throws V2Error invalid_request */
export function typeOf(given: unknown): Pick<Asked, 'contentType'> {
  const contentType = typeof given === 'string' ? given.trim().toLowerCase() : '';
  if (!CONTENT_TYPE.test(contentType)) throw invalid('"content_type" must be a media type such as image/png');
  return { contentType };
}

function askedOf({ fields }: FileForm): Asked {
  if (!fields.has('content_type'))
    throw invalid('"content_type" is required, before the file: a media type such as image/png');
  const path = fields.get('file_path');
  if (path === undefined) throw invalid('"file_path" is required, before the file: a name such as photo.png');
  const expiresIn = fields.get('expires_in');
  const type = typeOf(fields.get('content_type'));
  return { ...type, ...pathOf(path), ...lifeOf(expiresIn === undefined ? undefined : Number(expiresIn)) };
}

export function pathOf(path: unknown): Pick<Asked, 'filePath'> {
  if (path === undefined || path === null) return {};
  const isPlain =
    typeof path === 'string' &&
    path.length <= MAX_PATH &&
    path !== '' &&
    !/[\p{Cc}\\]|^\/|^[A-Za-z]:/u.test(path) &&
    !path.split('/').includes('..');
  if (!isPlain) throw invalid('"file_path" must be a relative path such as photo.png, without ".."');
  return { filePath: path };
}

export function lifeOf(seconds: unknown): Pick<Asked, 'expiresIn'> {
  if (seconds === undefined || seconds === null) return {};
  const { least, most } = EXPIRES_IN;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < least || seconds > most)
    throw invalid(`"expires_in" must be a whole number of seconds from ${least} to ${most}`);
  return { expiresIn: seconds * 1000 };
}
