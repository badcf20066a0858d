// What a webhook says: the status of a job that has ended, as GET /api/status gives it, without links, which would die.

import { eventIdOf } from '../core/event-id.ts';
import type { JobState } from '../core/job.ts';
import { imageView, jobView, iso } from '../core/job-view.ts';
import { stringifyJson } from '../core/json.ts';
import type { JobRequest } from '../core/request.ts';
import { webhookType } from '../core/webhook.ts';

/** The same text for the same job, however often it is sent. */
export function payloadOf(job: { state: JobState; request: JobRequest }): string {
  const { state } = job;
  return stringifyJson({
    type: webhookType(state.status),
    timestamp: iso(state.endedAt),
    data: {
      ...jobView(job),
      event_id: eventIdOf(state),
      queue_position: null,
      waiting_for: null,
      missing: [],
      eta_seconds: null,
      images: (state.images ?? []).map(imageView),
    },
  });
}
