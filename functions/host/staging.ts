// A job's input images, from the bucket into ComfyUI's input folder, under names of the job and the attempt.

import type { ComfyUI } from '../comfyui/client.ts';
import { stagedName } from '../core/names.ts';
import type { Staging } from '../core/render.ts';
import type { Images } from '../images/images.ts';
import { untilAnswered, type Settler } from './settle.ts';

interface StagingDeps extends Pick<Settler, 'log' | 'pause'> {
  comfyui: Pick<ComfyUI, 'uploadInput'>;
  images: Images;
}

/** The name of the first image that is gone; undefined when all are in place. */
export async function stageInputs(
  deps: StagingDeps,
  staging: readonly Staging[],
  jobId: string,
  attempt: number,
): Promise<string | undefined> {
  for (const { key } of staging) {
    const found = await untilAnswered(deps, jobId, 'stage an image', async () => {
      const stored = await deps.images.get(key);
      if (!stored || stored === 'not-modified') return false;
      const bytes = await new Response(stored.body).blob();
      await deps.comfyui.uploadInput(stagedName(jobId, attempt, key), bytes);
      return true;
    });
    if (!found) return key.slice(key.lastIndexOf('/') + 1);
  }
  return undefined;
}
