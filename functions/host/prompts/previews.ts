// Passes ComfyUI's previews on to those who listen to a job, and reads none where there is no listener.

import type { ComfyUIEvent } from '../../comfyui/events.ts';
import { readPreview } from '../../comfyui/preview-frames.ts';
import type { Live } from '../../core/live.ts';

export interface Previews {
  /** Called with every message of the socket: a frame without metadata is the running prompt's. */
  observe(event: ComfyUIEvent): void;
  frame(bytes: Buffer): void;
}

/** Of one job, ms. */
const SHOWN_EVERY = 500;

/** @param jobOf whose prompt it is; undefined: no job's that this host holds. @param awake ms */
export function createPreviews(
  live: Pick<Live, 'isHeard' | 'show'>,
  jobOf: (promptId: string) => string | undefined,
  awake: () => number,
): Previews {
  let running: string | undefined;
  // ComfyUI runs one prompt at a time.
  let shown: { jobId: string; at: number } | undefined;

  return {
    observe: ({ data }) => {
      running = data.prompt_id;
    },
    frame(bytes) {
      const runningJob = running === undefined ? undefined : jobOf(running);
      if (runningJob === undefined || !live.isHeard(runningJob)) return;
      const at = awake();
      if (shown?.jobId === runningJob && at - shown.at < SHOWN_EVERY) return;
      const read = readPreview(bytes);
      if (!read) return;
      // Said of the prompt itself, it is more certain than the last event.
      const jobId = read.promptId === undefined ? runningJob : jobOf(read.promptId);
      if (jobId !== runningJob) return;
      shown = { jobId, at };
      live.show(jobId, read.preview);
    },
  };
}
