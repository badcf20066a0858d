// Previews of a job whose host is another process: the host is asked for them by the table, and the newest is read from the bucket.
// While it is looked at this costs a write each 20 s, and a read of the bucket each 2 s.

import { setTimeout as sleep } from 'node:timers/promises';
import { watchPreviews } from '../../core/job.ts';
import type { Live, Preview } from '../../core/live.ts';
import {
  PREVIEW_FRESH,
  PREVIEW_STORED_EVERY,
  PREVIEWS_ASKED_EVERY,
  PREVIEWS_ASKED_FOR,
} from '../../core/limits.ts';
import { readPreview } from '../../images/stored-preview.ts';
import type { Shared } from './shared.ts';

type Deps = Pick<Shared, 'jobs' | 'images' | 'log' | 'now'>;

export const storedPreviews = (deps: Deps): Pick<Live, 'listen'> => ({
  listen(jobId, listener) {
    const ending = new AbortController();
    void follow(deps, jobId, listener, ending.signal);
    return () => ending.abort();
  },
});

async function follow(
  { jobs, images, log, now }: Deps,
  jobId: string,
  listener: (preview: Preview) => void,
  signal: AbortSignal,
): Promise<void> {
  let askedAt = -Infinity;
  let etag: string | undefined;
  while (!signal.aborted) {
    try {
      if (Math.abs(now() - askedAt) >= PREVIEWS_ASKED_EVERY) {
        askedAt = now();
        await jobs.write(jobId, watchPreviews(askedAt + PREVIEWS_ASKED_FOR));
      }
      const found = await readPreview(images, jobId, etag);
      etag = found?.etag ?? etag;
      if (found && now() - found.at < PREVIEW_FRESH && !signal.aborted) listener(found.preview);
    } catch (error) {
      // The next look may succeed; the stream of the status goes on without.
      log.warn('preview.not_read', { jobId, error: String(error) });
    }
    await sleep(PREVIEW_STORED_EVERY, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
