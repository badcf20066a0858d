// A job's images, from ComfyUI into the bucket: as streams, with a checksum, under names of our own.

import { type ComfyUI, ComfyUISilent } from '../comfyui/client.ts';
import type { JobImage } from '../core/job.ts';
import { imageName, keys } from '../core/names.ts';
import type { Graph } from '../core/object-info.ts';
import type { OutputImage } from '../core/outcome.ts';
import { publishedPrefixOf } from '../core/render.ts';
import type { Images } from '../images/images.ts';
import { peekImage } from '../images/sniff.ts';
import type { JobRecord } from './record.ts';
import type { Settler } from './settle.ts';

/** ComfyUI made them and has them no more: the attempt is lost. */
export class OutputsGone extends Error {
  override readonly name = 'OutputsGone';
}

interface UploadDeps extends Pick<Settler, 'log' | 'pause'> {
  comfyui: Pick<ComfyUI, 'view'>;
  images: Images;
}

/** Undefined when the attempt was broken off meanwhile. @throws OutputsGone */
export async function collectImages(
  deps: UploadDeps,
  record: JobRecord,
  attempt: number,
  graph: Graph,
  outputs: readonly OutputImage[],
): Promise<JobImage[] | undefined> {
  let stopped = false;
  void record.stopped.then(() => {
    stopped = true;
  });
  const images: JobImage[] = [];
  for (const [index, output] of outputs.entries()) {
    for (let tries = 0; images.length === index; tries += 1) {
      if (stopped) return undefined;
      try {
        images.push(await uploadImage(deps, record.jobId, attempt, graph, output, index + 1));
      } catch (error) {
        if (error instanceof OutputsGone) throw error;
        // Half an image, a bucket that throttles, a ComfyUI that restarts: its files are still on its disk.
        deps.log.error('image not uploaded yet', error, { job_id: record.jobId });
        await deps.pause(tries);
      }
    }
  }
  return images;
}

async function uploadImage(
  { comfyui, images }: UploadDeps,
  jobId: string,
  attempt: number,
  graph: Graph,
  output: OutputImage,
  ordinal: number,
): Promise<JobImage> {
  const { node, filename, subfolder, type } = output;
  const file = await comfyui.view({ filename, subfolder, type });
  if (!file) throw new OutputsGone('its images are gone from the GPU host');
  const { image, stream } = await peekImage(file.body);
  if (!image) {
    await stream.cancel();
    throw new ComfyUISilent('GET /view with an image');
  }
  const name = imageName(publishedPrefixOf(graph, node), jobId, ordinal, image.extension);
  const { sizeBytes } = await images.put(keys.image(jobId, attempt, name), stream, {
    contentType: image.contentType,
    ...(file.sizeBytes === undefined ? {} : { sizeBytes: file.sizeBytes }),
  });
  return {
    filename: name,
    node,
    width: image.width,
    height: image.height,
    sizeBytes,
    contentType: image.contentType,
  };
}
