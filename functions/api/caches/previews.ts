// Previews of jobs for who looks at them. Of a host in this process they come at once. Where it is another process, it is asked for
// them by the table, and the newest is read from the bucket: while a job is looked at this costs a write each 20 s, and a read of the
// bucket each 2 s.

import { setTimeout as sleep } from 'node:timers/promises';
import { type JobState, watchPreviews } from '../../core/job.ts';
import type { Live, Preview } from '../../core/live.ts';
import {
  PREVIEW_FRESH,
  PREVIEW_STORED_EVERY,
  PREVIEWS_ASKED_EVERY,
  PREVIEWS_ASKED_FOR,
} from '../../core/limits.ts';
import { readPreview } from '../../images/stored-preview.ts';
import type { ApiDeps } from '../deps.ts';

type Deps = Pick<ApiDeps, 'jobs' | 'images' | 'log' | 'now'>;

export interface Previews extends Pick<Live, 'listen'> {
  /** Listening costs calls. */
  isFar: boolean;
}

export function previewsOf(deps: Deps & Pick<ApiDeps, 'live'>): Previews {
  const { live } = deps;
  if (!live) return storedPreviews(deps);
  return { listen: (jobId, listener) => live.listen(jobId, listener), isFar: false };
}

const storedPreviews = (deps: Deps): Previews => ({
  isFar: true,
  listen(jobId, listener) {
    const ending = new AbortController();
    void follow(deps, jobId, listener, ending.signal);
    return () => ending.abort();
  },
});

export interface Listening {
  /** Called with each of the job's states. */
  hear(state: JobState): void;
  /** For good. */
  end(): void;
}

/** From the first on, so that nothing is missed before its start is heard of; where that costs calls, only while the job runs. */
export function listening(
  previews: Previews,
  jobId: string,
  listener: (preview: Preview) => void,
): Listening {
  let isOver = false;
  let deaf: (() => void) | undefined;
  const listen = () => {
    if (!isOver) deaf ??= previews.listen(jobId, listener);
  };
  const stop = () => {
    deaf?.();
    deaf = undefined;
  };
  if (!previews.isFar) listen();
  return {
    hear({ status }) {
      if (status === 'processing') listen();
      else if (previews.isFar) stop();
    },
    end() {
      isOver = true;
      stop();
    },
  };
}

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
