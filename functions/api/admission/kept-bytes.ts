// The bytes of assets: an owner keeps those of one content once, among the uploads of the guide's API, by the same name of their
// content, and against the same quota.

import type { Caller } from '../../core/access.ts';
import { keys, uploadName } from '../../core/names.ts';
import type { UploadAsset } from '../../store/assets.ts';
import type { ApiDeps } from '../deps.ts';
import type { FileBytes } from '../http/file-form.ts';
import { keepUpload } from './image-inputs.ts';
import type { UploadQuota } from './upload-quota.ts';

type KeptDeps = ApiDeps & { uploadQuota: UploadQuota };

/** What a browser shows without running any of it; everything else is stored as plain bytes. */
const SHOWN = /^(image\/(png|jpeg|webp|gif|bmp|avif|tiff)|video\/[\w.+-]+|audio\/[\w.+-]+|text\/plain)$/;

export interface Kept {
  upload: string;
  isNew: boolean;
  /** They were there before the first asset. */
  isShared?: boolean;
}

/** What an owner keeps of this hash, for as long again; undefined: nothing. */
export async function bytesOf(deps: KeptDeps, owner: string, hash: string) {
  const { assets, images } = deps;
  const blob = await assets.readBlob(owner, hash);
  const head = blob && (await images.head(keys.upload(owner, blob.upload)));
  if (!blob || !head) return undefined;
  return (await keepUpload(deps, keys.upload(owner, blob.upload)))
    ? { ...blob, contentType: head.contentType }
    : undefined;
}

/** Puts the bytes unless they are there. */
export async function keepBytes(
  deps: KeptDeps,
  caller: Caller,
  form: FileBytes,
  { contentType, filePath }: Pick<UploadAsset, 'contentType' | 'filePath'>,
): Promise<Kept> {
  const { owner } = caller;
  const known = await bytesOf(deps, owner, form.blake3);
  if (known) return { upload: known.upload, isNew: false };
  const upload = uploadName(form.sha256, extensionOf(filePath));
  const key = keys.upload(owner, upload);
  // The guide's API was sent them: they stay when the last asset over them goes.
  if (await keepUpload(deps, key)) return { upload, isNew: false, isShared: true };
  const settle = await deps.uploadQuota.begin(caller, { name: upload, bytes: form.sizeBytes });
  const stored = SHOWN.test(contentType) ? contentType : 'application/octet-stream';
  const put = await deps.images.putOnce(key, form.open(), { contentType: stored, sizeBytes: form.sizeBytes });
  await settle(put);
  return { upload, isNew: put === 'written' };
}

/** ComfyUI's loaders go by it. */
function extensionOf(filePath: string | undefined): string {
  return /\.([a-z0-9]{1,10})$/.exec(filePath?.toLowerCase() ?? '')?.[1] ?? 'bin';
}
