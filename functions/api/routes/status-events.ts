// A stream of how a job stands, from what is known to its end.

import { hasEnded, type JobState } from '../../core/job.ts';
import { base64Of, type Preview } from '../../core/live.ts';
import { TIMINGS } from '../../core/timings.ts';
import { previewsOf } from '../caches/previews.ts';
import { COME_AGAIN, eventText, STILL_HERE } from '../http/event-stream.ts';
import type { Slot } from '../http/open-connections.ts';
import { newestPreview } from './newest-preview.ts';
import type { Shared } from './shared.ts';

interface Following {
  report(state: JobState): Promise<string>;
  /** Whether the caller may read it still. */
  may(): Promise<boolean>;
  showsPreviews: boolean;
}

/** What a stream says, from `first` to its end. */
export async function* statusEvents(
  deps: Shared,
  known: JobState,
  first: string,
  { signal }: Slot,
  { report, may, showsPreviews }: Following,
): AsyncGenerator<string, void> {
  const { watch, log, timings = TIMINGS } = deps;
  let state = known;
  let reported = first;
  const newest = showsPreviews ? newestPreview(previewsOf(deps), known.jobId, signal) : undefined;
  yield first;
  const changeOf = (known: JobState) => watch.change(known, timings.followerHearsEvery, signal);
  let change = changeOf(state);
  for (;;) {
    newest?.hear(state);
    if (newest && state.status === 'processing' && (await isFirst(newest.arrival(), change))) {
      const preview = newest.take();
      if (signal.aborted || !(await may())) break;
      yield eventText('preview', undefined, previewView(preview!));
      continue;
    }
    const next = await change;
    // Removed: the next request is answered with 404.
    if (!next) return;
    if (signal.aborted || !(await may())) break;
    // Only of one that waits does more change than its state.
    const text =
      next === state && state.status !== 'queued'
        ? undefined
        : await report(next).catch((error: unknown) => {
            log.warn('follower.report_failed', { jobId: next.jobId, error: String(error) });
          });
    if (text === undefined || text === reported) yield STILL_HERE;
    else {
      yield text;
      reported = text;
      state = next;
      if (hasEnded(state)) return;
    }
    change = changeOf(state);
  }
  yield COME_AGAIN;
}

/** Of two that are there already, the other. */
function isFirst(one: Promise<void>, other: Promise<unknown>): Promise<boolean> {
  return Promise.race([other.then(() => false), one.then(() => true)]);
}

function previewView(preview: Preview) {
  const { type, node, step } = preview;
  return {
    content_type: type,
    image: base64Of(preview),
    node: node ?? null,
    current_step: step?.current ?? null,
    total_steps: step?.total ?? null,
  };
}
