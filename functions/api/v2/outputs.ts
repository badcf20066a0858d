// What a job made, as outputs of the Comfy API v2.

import type { JobImage, JobState } from '../../core/job.ts';
import { iso } from '../../core/job-view.ts';
import { LINK_LIFETIME_SECONDS } from '../../core/limits.ts';
import { keys, outputAssetId } from '../../core/names.ts';
import type { V2Deps } from './deps.ts';

/** @param origin of links; undefined: S3's own */
export function outputViews(deps: V2Deps, state: JobState, origin: string | undefined) {
  return Promise.all((state.images ?? []).map((output) => outputView(deps, state, output, origin)));
}

async function outputView(deps: V2Deps, state: JobState, output: JobImage, origin: string | undefined) {
  const { filename, contentType, sizeBytes, node } = output;
  const url = await deps.presigner.link({
    endpoint: origin,
    key: keys.image(state.jobId, state.attempt, filename),
    filename,
  });
  return {
    node_id: node,
    name: filename,
    type: 'image' as const,
    content_type: contentType,
    size_bytes: sizeBytes,
    id: outputAssetId(filename),
    hash: null,
    url,
    url_expires_at: iso(deps.now() + LINK_LIFETIME_SECONDS * 1000),
    job_id: state.jobId,
  };
}
