// What a job made, as outputs of the Comfy API v2.

import { type JobOutput, type JobState, kindOfOutput } from '../../core/job.ts';
import { iso } from '../../core/job-view.ts';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { outputAssetId } from '../../core/names.ts';
import { type ApiDeps, keepOf } from '../deps.ts';
import { linkOfOutput } from '../http/output-link.ts';
import { isStorageFull } from '../http/problems.ts';
import type { V2Deps } from './deps.ts';

/** Each becomes an asset when it is first shown. @param origin of links; undefined: S3's own */
export async function outputViews(deps: V2Deps, state: JobState, origin: string | undefined) {
  const outputs = state.outputs ?? [];
  if (outputs.length > 0) await deps.mintOutputs(state);
  return Promise.all(outputs.map((output) => outputView(deps, state, output, origin)));
}

/** Jobs whose outputs this process has made assets. */
const REMEMBERED = 1000;

/** Writes what finds a job by the id of its output. The first reader does it; it is the same each time. */
export function outputMint(deps: ApiDeps): V2Deps['mintOutputs'] {
  const minted = new Set<string>();
  return async ({ jobId, owner, createdAt, endedAt = createdAt, outputs = [] }) => {
    if (minted.has(jobId)) return;
    const base = { owner, jobId, createdAt: endedAt, validUntil: createdAt + keepOf(deps) };
    try {
      await Promise.all(
        outputs.map(({ filename }) =>
          deps.assets.putNew({ ...base, assetId: outputAssetId(filename), filename }),
        ),
      );
    } catch (error) {
      // A full disk hides no result: the links work, and the ids do when there is room.
      if (isStorageFull(error)) return;
      throw error;
    }
    if (minted.size >= REMEMBERED) minted.delete(minted.keys().next().value!);
    minted.add(jobId);
  };
}

async function outputView(deps: V2Deps, state: JobState, output: JobOutput, origin: string | undefined) {
  const { filename, contentType, sizeBytes, node } = output;
  const kind = kindOfOutput(output);
  const url = await linkOfOutput(deps, state, output, origin);
  return {
    node_id: node,
    name: filename,
    // Its word for what is none of its kinds.
    type: kind === '3d' ? ('file' as const) : kind,
    content_type: contentType,
    size_bytes: sizeBytes,
    id: outputAssetId(filename),
    hash: null,
    url,
    url_expires_at: iso(deps.now() + LINK_LIFETIME_SECONDS * 1000),
    job_id: state.jobId,
  };
}
