// Passes ComfyUI's previews on to those who listen to a job, and reads none where there is no listener.

import type { ComfyUIEvent } from '../../comfyui/events.ts';
import { readPreview } from '../../comfyui/preview-frames.ts';
import type { Live, Step } from '../../core/live.ts';

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
  let last: ComfyUIEvent | undefined;
  // ComfyUI runs one prompt at a time.
  let shown: { jobId: string; at: number } | undefined;

  return {
    observe: (event) => {
      last = event;
    },
    frame(bytes) {
      const runningJob = last && jobOf(last.data.prompt_id);
      if (runningJob === undefined || !live.isHeard(runningJob)) return;
      const at = awake();
      if (shown?.jobId === runningJob && at - shown.at < SHOWN_EVERY) return;
      const read = readPreview(bytes);
      if (!read) return;
      // Said of the prompt itself, it is more certain than the last event.
      const jobId = read.promptId === undefined ? runningJob : jobOf(read.promptId);
      if (jobId !== runningJob) return;
      shown = { jobId, at };
      live.show(jobId, { ...read.preview, step: last && stepOf(last, read.preview.node) });
    },
  };
}

/** ComfyUI sends a preview right after the progress that it belongs to. */
function stepOf(event: ComfyUIEvent, node: string | undefined): Step | undefined {
  const { value: current, max: total } = progressIn(event, node) ?? {};
  // Custom nodes may report anything.
  return isCount(current) && isCount(total) && current <= total ? { current, total } : undefined;
}

function progressIn(
  event: ComfyUIEvent,
  node: string | undefined,
): { value: unknown; max: unknown } | undefined {
  if (event.type === 'progress')
    return node === undefined || event.data.node === node ? event.data : undefined;
  if (event.type !== 'progress_state' || node === undefined) return undefined;
  return event.data.nodes[node];
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
