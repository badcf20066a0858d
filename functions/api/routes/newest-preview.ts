// The previews of one job for one reader: of what has come since it took the last, only the newest is kept.

import type { JobState } from '../../core/job.ts';
import type { Preview } from '../../core/live.ts';
import { PREVIEW_BYTES } from '../../core/limits.ts';
import { type Previews, listening } from '../caches/previews.ts';

export interface NewestPreview {
  /** Called with each of the job's states: what an attempt that is over has shown is gone. */
  hear(state: JobState): void;
  /** Resolves when there is one; never where none comes. */
  arrival(): Promise<void>;
  take(): Preview | undefined;
}

/** @param signal ends the listening: a host reads none that has no listener */
export function newestPreview(previews: Previews, jobId: string, signal: AbortSignal): NewestPreview {
  let newest: Preview | undefined;
  let arrived: () => void = () => undefined;
  const running = listening(previews, jobId, (preview) => {
    if (preview.image.length > PREVIEW_BYTES) return;
    newest = preview;
    arrived();
  });
  if (signal.aborted) running.end();
  else signal.addEventListener('abort', () => running.end());
  return {
    hear(state) {
      running.hear(state);
      if (state.status !== 'processing') newest = undefined;
    },
    arrival: () =>
      newest
        ? Promise.resolve()
        : new Promise((resolve) => {
            arrived = resolve;
          }),
    take() {
      const taken = newest;
      newest = undefined;
      return taken;
    },
  };
}
