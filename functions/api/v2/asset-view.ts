// An asset as the Comfy API v2 shows it: an upload, or what a job made.

import { type Caller, sees } from '../../core/access.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { iso } from '../../core/job-view.ts';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { keys } from '../../core/names.ts';
import { servedType } from '../../images/links.ts';
import type { Asset, OutputAsset, UploadAsset } from '../../store/assets.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';

/** An asset with what it stands for. */
export type Found = { asset: UploadAsset } | { asset: OutputAsset; state: JobState; output: JobOutput };

export function assetNotFound(): V2Error {
  return new V2Error(404, 'not_found', 'There is no asset of this id');
}

/** @throws V2Error not_found, for another's as for one that there is not */
export async function findAsset(deps: V2Deps, caller: Caller, assetId: string): Promise<Found> {
  const asset = await deps.assets.read(assetId, deps.now());
  const found = asset && sees(caller, asset.owner) ? await resolve(deps, asset) : undefined;
  if (!found) throw assetNotFound();
  return found;
}

/** Undefined: its job is gone. */
export async function resolve(deps: V2Deps, asset: Asset): Promise<Found | undefined> {
  if (!('jobId' in asset)) return { asset };
  const state = await deps.jobs.readState(asset.jobId);
  const output = state?.outputs?.find(({ filename }) => filename === asset.filename);
  return state && output && { asset, state, output };
}

/** Where its bytes lie in the bucket. */
export function keyOfAsset(found: Found): string {
  if ('output' in found) return keys.image(found.state.jobId, found.state.attempt, found.output.filename);
  return keys.upload(found.asset.owner, found.asset.upload);
}

export function nameOfAsset(found: Found): string {
  if ('output' in found) return found.output.filename;
  return found.asset.filePath?.split(/[/\\]/).at(-1) || found.asset.upload;
}

/** @param origin of the link; undefined: S3's own @param more of an answer that created it */
export async function assetView(
  deps: V2Deps,
  found: Found,
  origin: string | undefined,
  more: { created_new?: boolean } = {},
) {
  const { asset } = found;
  const url = await deps.presigner.link({
    endpoint: origin,
    key: keyOfAsset(found),
    filename: nameOfAsset(found),
    contentType: 'output' in found ? servedType(found.output.contentType) : undefined,
  });
  const what =
    'output' in found
      ? {
          hash: null,
          size_bytes: found.output.sizeBytes,
          content_type: found.output.contentType,
          file_path: found.output.filename,
        }
      : {
          hash: /^[0-9a-f]{64}$/.test(found.asset.hash) ? `blake3:${found.asset.hash}` : null,
          size_bytes: found.asset.sizeBytes,
          content_type: found.asset.contentType,
          file_path: found.asset.filePath ?? null,
        };
  return {
    id: asset.assetId,
    ...what,
    ...more,
    created_at: iso(asset.createdAt),
    url,
    url_expires_at: iso(deps.now() + LINK_LIFETIME_SECONDS * 1000),
    expires_at: iso(asset.validUntil),
    ...('output' in found && { job_id: found.state.jobId }),
  };
}
