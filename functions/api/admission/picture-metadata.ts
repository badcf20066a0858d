// What ComfyUI wrote into a picture of a job's: the graph that ran, and the canvas that it came from. Without what a job adds to
// the graph. A picture that was stripped, and a format into which ComfyUI writes nothing, has neither.

import { AppError } from '../../core/errors.ts';
import type { JobOutput, JobState } from '../../core/job.ts';
import { isRecord } from '../../core/json-value.ts';
import { UnreadableFile } from '../../core/workflow-file/fault.ts';
import { writtenIn } from '../../core/workflow-file/read.ts';
import { MAX_SOURCE_BYTES } from '../../images/codec/order.ts';
import type { ApiDeps } from '../deps.ts';
import { wholeOutput } from '../http/whole-output.ts';

/** Into others, and into films and sounds, ComfyUI writes none that its page reads from a picture. */
const WRITTEN = ['image/png', 'image/webp'];
const NONE = { prompt: null, workflow: null };

/** @throws AppError image_not_found, or not_convertible for one that is too large */
export async function pictureMetadata(
  deps: Pick<ApiDeps, 'servedImages'>,
  { state, output }: { state: JobState; output: JobOutput },
) {
  if (!WRITTEN.includes(output.contentType)) return NONE;
  const bytes = await wholeOutput(deps, state, output, MAX_SOURCE_BYTES);
  if (!bytes)
    throw new AppError(
      'not_convertible',
      `${output.filename} has over ${MAX_SOURCE_BYTES} bytes: fetch GET /api/image/${output.filename}`,
    );
  try {
    const { graph, workflow } = writtenIn(bytes);
    return { prompt: graph ?? null, workflow: isRecord(workflow) ? workflow : null };
  } catch (error) {
    // Custom nodes may write what they want under these names.
    if (error instanceof UnreadableFile) return NONE;
    throw error;
  }
}
