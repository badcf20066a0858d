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

export type Previews = Pick<Live, 'listen'>;

export const previewsOf = (deps: Deps & Pick<ApiDeps, 'live'>): Previews => deps.live ?? storedPreviews(deps);

const storedPreviews = (deps: Deps): Previews => ({
  listen(jobId, listener) {
    const ending = new AbortController();
    void follow(deps, jobId, listener, ending.signal);
    return () => ending.abort();
  },
});

export interface WhileItRuns {
  /** Called with each of the job's states: it is listened to only while it runs. */
  hear(state: JobState): void;
  /** For good. */
  end(): void;
}

export function whileItRuns(
  previews: Previews,
  jobId: string,
  listener: (preview: Preview) => void,
): WhileItRuns {
  let isOver = false;
  let deaf: (() => void) | undefined;
  const stop = () => {
    deaf?.();
    deaf = undefined;
  };
  return {
    hear({ status }) {
      if (status !== 'processing') stop();
      else if (!isOver) deaf ??= previews.listen(jobId, listener);
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
