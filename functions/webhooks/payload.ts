// A webhook's body: the status of an ended job as GET /api/status gives it, without links, which would expire.

import { eventIdOf } from '../core/event-id.ts';
import type { JobState } from '../core/job.ts';
import { imagesOf } from '../core/job-output.ts';
import { imageView, jobView, iso, outputView } from '../core/job-view.ts';
import { stringifyJson } from '../core/json.ts';
import type { JobRequest } from '../core/request.ts';
import { webhookType } from '../core/webhook.ts';

/** JSON, the same text each time it is sent. @throws for a job that has not ended */
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
      waiting_code: null,
      waiting_detail: null,
      waiting_seconds: null,
      missing: [],
      eta_seconds: null,
      images: imagesOf(state).map(imageView),
      outputs: (state.outputs ?? []).map((output, index) => outputView(output, index + 1)),
    },
  });
}
