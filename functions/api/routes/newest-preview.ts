// The previews of one job for one reader: of what has come since it took the last, only the newest is kept.

import type { Live, Preview } from '../../core/live.ts';
import { PREVIEW_BYTES } from '../../core/limits.ts';

export interface NewestPreview {
  /** Resolves when there is one; never where none comes. */
  arrival(): Promise<void>;
  take(): Preview | undefined;
}

/** @param signal ends the listening: a host reads none that has no listener */
export function newestPreview(live: Pick<Live, 'listen'>, jobId: string, signal: AbortSignal): NewestPreview {
  let newest: Preview | undefined;
  let arrived: () => void = () => undefined;
  if (!signal.aborted) {
    const deaf = live.listen(jobId, (preview) => {
      if (preview.image.length > PREVIEW_BYTES) return;
      newest = preview;
      arrived();
    });
    signal.addEventListener('abort', deaf);
  }
  return {
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
