// A webhook's body in RunPod's words: what GET /v2/<endpoint>/status/<id> says of an ended job. Its files are in it, as bytes: a link
// would have expired before a later try.

import { buffer } from 'node:stream/consumers';
import type { JobOutput, JobState } from '../core/job.ts';
import { stringifyJson } from '../core/json.ts';
import { keys } from '../core/names.ts';
import { MB } from '../core/quota.ts';
import { type RunpodFile, runpodJob, type RunpodOutput, runpodOutput } from '../core/runpod-view.ts';
import type { Images } from '../images/images.ts';

/** Of one message's files, before they are in base64. */
const MAX_BYTES = 6 * MB;

/** JSON. @throws where the bucket does not answer */
export async function runpodPayload(images: Pick<Images, 'get'>, state: JobState): Promise<string> {
  return stringifyJson({
    ...runpodJob(state),
    ...(state.status === 'completed' && { output: await outputOf(images, state) }),
  });
}

async function outputOf(images: Pick<Images, 'get'>, state: JobState): Promise<RunpodOutput> {
  const made: [JobOutput, RunpodFile][] = [];
  const errors: string[] = [];
  let left = MAX_BYTES;
  for (const output of state.outputs ?? []) {
    const { filename, sizeBytes } = output;
    const bytes = sizeBytes > left ? undefined : await bytesOf(images, state, output);
    if (bytes) {
      left -= sizeBytes;
      made.push([output, { filename, type: 'base64', data: bytes.toString('base64') }]);
    } else {
      const why =
        sizeBytes > left ? `one message holds ${MAX_BYTES / MB} MB: read the status` : 'it was removed';
      errors.push(`${filename} is not in this message: ${why}`);
    }
  }
  return runpodOutput(made, errors);
}

/** Undefined: it was removed. */
async function bytesOf(
  images: Pick<Images, 'get'>,
  { jobId, attempt }: JobState,
  { filename }: JobOutput,
): Promise<Buffer | undefined> {
  const stored = await images.get(keys.image(jobId, attempt, filename));
  if (!stored || stored === 'not-modified') return undefined;
  const { body } = stored;
  return body instanceof Uint8Array ? Buffer.from(body) : buffer(body);
}
