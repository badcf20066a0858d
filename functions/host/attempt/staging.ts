// A job's input images, from the bucket into ComfyUI's input folder, under names of the job and the attempt.

import { type ComfyUI, ComfyUIBroken, ComfyUIRefused, ComfyUISilent } from '../../comfyui/client.ts';
import { stagedName } from '../../core/names.ts';
import type { Staging } from '../../core/render.ts';
import type { Images } from '../../images/images.ts';
import type { Writer } from '../claims/confirmed-write.ts';

interface StagingDeps extends Pick<Writer, 'log' | 'pause'> {
  comfyui: Pick<ComfyUI, 'uploadInput'>;
  images: Images;
  awake(): number;
}

/**
 * `gone`: the name of an image that has left the bucket. `refused`: why ComfyUI rejects one. `aside`:
 * why this ComfyUI cannot store one now; others may.
 */
export type Staged = 'staged' | 'broken-off' | { gone: string } | { refused: string } | { aside: string };

/** The job goes to another host if ComfyUI answers but stores no file for so long, ms. */
const SILENT_FOR = 60_000;

/** Retries a silent bucket without limit, until the attempt is broken off. */
export async function stageInputs(
  { images, comfyui, log, pause, awake }: StagingDeps,
  staging: readonly Staging[],
  jobId: string,
  attempt: number,
  isBrokenOff: () => boolean,
): Promise<Staged> {
  for (const { key } of staging) {
    const name = key.slice(key.lastIndexOf('/') + 1);
    let silentSince: number | undefined;
    for (let tries = 0, isStaged = false; !isStaged; tries += 1) {
      if (isBrokenOff()) return 'broken-off';
      try {
        const stored = await images.get(key);
        if (!stored || stored === 'not-modified') return { gone: name };
        const bytes = await new Response(stored.body).blob();
        silentSince ??= awake();
        await comfyui.uploadInput(stagedName(jobId, attempt, key), bytes);
        isStaged = true;
      } catch (error) {
        if (error instanceof ComfyUIRefused)
          return { refused: `${name}: ${error.reason || `it answered ${error.status}`}` };
        if (error instanceof ComfyUIBroken) return { aside: error.message };
        if (error instanceof ComfyUISilent && awake() - (silentSince ?? awake()) > SILENT_FOR)
          return { aside: error.message };
        log.error('image.staging_failed', error, { jobId });
        await pause(tries);
      }
    }
  }
  return 'staged';
}
