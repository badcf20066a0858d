// GET /api/v2/jobs/{id}/logs: what is known of a job's way, a line each. ComfyUI's own log is of a whole machine, with the jobs of
// others, and is not shown.

import type { Job } from '../../core/job.ts';
import { hasEnded } from '../../core/job.ts';
import { iso } from '../../core/job-view.ts';

/** @param now ms @returns undefined: nothing has happened to it yet */
export function logsOf({ state, request }: Job, now: number) {
  const { attempt, createdAt, claimedAt, startedAt, endedAt } = state;
  if (attempt === 0 && endedAt === undefined) return undefined;
  const lines: [number, string][] = [[createdAt, 'accepted']];
  if (claimedAt !== undefined) lines.push([claimedAt, `claimed by a host: attempt ${attempt}`]);
  // The first start; attempts before the last one began earlier than its claim.
  if (startedAt !== undefined) lines.push([startedAt, 'started']);
  const last = endedAt ?? now;
  for (const note of [...request.notes, ...(state.notes ?? [])]) lines.push([last, note]);
  if (state.error !== undefined) lines.push([last, state.error]);
  if (endedAt !== undefined) lines.push([endedAt, `ended: ${state.status}`]);
  lines.sort(([a], [b]) => a - b);
  return {
    text: lines.map(([at, line]) => `${iso(at)} ${line}\n`).join(''),
    truncated: false,
    captured_at: iso(endedAt ?? now),
    complete: hasEnded(state),
  };
}
