// Files by the names that their owner gave them, as ComfyUI has them in its folders: each name is an asset over bytes that the owner
// keeps once.

import type { Caller } from '../../core/access.ts';
import { uploadRenewal } from '../../core/limits.ts';
import { assetIdFrom, isUploadName, keys } from '../../core/names.ts';
import type { Folder } from '../../core/preflight/files.ts';
import { mediaTypeOf } from '../../images/media-type.ts';
import type { UploadAsset } from '../../store/assets.ts';
import { keepUpload } from '../admission/image-inputs.ts';
import { jobThatReads } from '../admission/in-use.ts';
import { keepBytes } from '../admission/kept-bytes.ts';
import { keepOf } from '../deps.ts';
import type { FileBytes } from '../http/file-form.ts';
import type { WireDeps } from './deps.ts';

/** Outputs are jobs' own. */
export type NamedFolder = Exclude<Folder, 'output'>;

export interface FileName {
  folder: NamedFolder;
  path: string;
}

export interface NamedFile {
  /** In the bucket. */
  key: string;
  /** For who saves it. */
  filename: string;
}

/** No caller's own idempotency key has a blank. */
function idOf(owner: string, { folder, path }: FileName): string {
  return assetIdFrom({ owner, key: `${folder} ${path}` });
}

/** Kept for as long again. Undefined: the owner has no such file. @param name of a file, or of an upload of the guide's API */
export async function findNamed(
  deps: WireDeps,
  owner: string,
  name: FileName,
): Promise<NamedFile | undefined> {
  const { assets, now } = deps;
  const asset = await assets.read(idOf(owner, name), now());
  const upload = asset && 'upload' in asset ? asset.upload : name.path;
  if (!isUploadName(upload)) return undefined;
  const key = keys.upload(owner, upload);
  if (!(await keepUpload(deps, key))) return undefined;
  if (asset && 'upload' in asset) await renew(deps, asset);
  return { key, filename: name.path.split('/').at(-1)! };
}

async function renew(deps: WireDeps, asset: UploadAsset): Promise<void> {
  const validUntil = deps.now() + keepOf(deps);
  if (validUntil - asset.validUntil > uploadRenewal(keepOf(deps)))
    await deps.assets.replace({ ...asset, validUntil }, asset.hash);
}

/** @returns `taken`: it names other bytes, and is not to be overwritten */
export async function putNamed(
  deps: WireDeps,
  caller: Caller,
  name: FileName,
  form: FileBytes,
  overwrite: boolean,
): Promise<'put' | 'taken'> {
  const { assets, now } = deps;
  const { owner } = caller;
  const assetId = idOf(owner, name);
  for (;;) {
    const before = await assets.read(assetId, 0);
    const known = before && 'upload' in before ? before : undefined;
    const isOther = known !== undefined && known.hash !== form.blake3;
    if (isOther && known.validUntil > now() && !overwrite) return 'taken';
    const about = { contentType: mediaTypeOf(form.head, name.path).contentType, filePath: name.path };
    const { upload, isShared } = await keepBytes(deps, caller, form, about);
    const createdAt = now();
    const validUntil = createdAt + keepOf(deps);
    const { blake3: hash, sizeBytes } = form;
    const asset = { assetId, owner, upload, hash, sizeBytes, ...about, createdAt, validUntil };
    if (known && !isOther) {
      if (await assets.replace(asset, hash)) return 'put';
      continue;
    }
    // The count first: bytes that are counted too often stay too long, the other way round they would be missed.
    const blob = { upload, sizeBytes, ...(isShared && { isShared }) };
    await assets.refer(owner, hash, blob, validUntil + uploadRenewal(keepOf(deps)));
    if (await (known ? assets.replace(asset, known.hash) : assets.putNew(asset))) {
      if (known) await letGo(deps, known);
      return 'put';
    }
    // Another upload of this name came at the same moment.
    await assets.release(owner, hash);
  }
}

/** Bytes without a name go, unless a job is about to read them: then they end by themselves. */
async function letGo(deps: WireDeps, { owner, hash, upload }: UploadAsset): Promise<void> {
  const { jobs, assets, images, uploadQuota } = deps;
  const key = keys.upload(owner, upload);
  if (await jobThatReads(jobs, owner, (one) => one === key)) return;
  if (!(await assets.release(owner, hash))) return;
  await images.delete([key]);
  await uploadQuota.freed(owner);
}
