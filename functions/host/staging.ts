// A job's input images, from the bucket into ComfyUI's input folder, under names of the job and the attempt.

import type { ComfyUI } from '../comfyui/client.ts';
import { stagedName } from '../core/names.ts';
import type { Staging } from '../core/render.ts';
import type { Images } from '../images/images.ts';
import type { Settler } from './settle.ts';

interface StagingDeps extends Pick<Settler, 'log' | 'pause'> {
  comfyui: Pick<ComfyUI, 'uploadInput'>;
  images: Images;
}

/** `gone`: the name of an image that is not in the bucket any more. */
export type Staged = 'staged' | 'broken-off' | { gone: string };

/** Tries as long as it takes, a ComfyUI or a bucket that is silent may be back, but only until it is broken off. */
export async function stageInputs(
  { images, comfyui, log, pause }: StagingDeps,
  staging: readonly Staging[],
  jobId: string,
  attempt: number,
  isBrokenOff: () => boolean,
): Promise<Staged> {
  for (const { key } of staging) {
    for (let tries = 0, isStaged = false; !isStaged; tries += 1) {
      if (isBrokenOff()) return 'broken-off';
      try {
        const stored = await images.get(key);
        if (!stored || stored === 'not-modified') return { gone: key.slice(key.lastIndexOf('/') + 1) };
        const bytes = await new Response(stored.body).blob();
        await comfyui.uploadInput(stagedName(jobId, attempt, key), bytes);
        isStaged = true;
      } catch (error) {
        log.error('image not staged yet', error, { job_id: jobId });
        await pause(tries);
      }
    }
  }
  return 'staged';
}
