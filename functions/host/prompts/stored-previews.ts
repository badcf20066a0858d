// Previews for readers in other processes: while the table says that someone looks, the newest goes into the bucket. It is worth a
// loss: what is not stored is followed by another.

import type { Live } from '../../core/live.ts';
import { PREVIEW_BYTES, PREVIEW_STORED_EVERY } from '../../core/limits.ts';
import type { Images } from '../../images/images.ts';
import { storePreview } from '../../images/stored-preview.ts';
import type { Log } from '../../log.ts';

interface StoredDeps {
  images: Pick<Images, 'put'>;
  log: Log;
  /** The tables' clock, ms. */
  now(): number;
  awake(): number;
  /** As the table last said, ms; undefined: no reader has asked. */
  watchedUntil(jobId: string): number | undefined;
}

export function createStoredPreviews({
  images,
  log,
  now,
  awake,
  watchedUntil,
}: StoredDeps): Pick<Live, 'isHeard' | 'show'> {
  let isStoring = false;
  let storedAt = -Infinity;

  return {
    isHeard: (jobId) =>
      (watchedUntil(jobId) ?? 0) > now() && !isStoring && awake() - storedAt >= PREVIEW_STORED_EVERY,
    show(jobId, preview) {
      if (preview.image.length > PREVIEW_BYTES) return;
      isStoring = true;
      storedAt = awake();
      storePreview(images, jobId, { at: now(), preview })
        .catch((error: unknown) => log.debug('preview.not_stored', { jobId, error: String(error) }))
        .finally(() => {
          isStoring = false;
        });
    },
  };
}
