// A job as the outside sees it: the guide's fields, and ours beside them.

import { eventIdOf } from '../../core/event-id.ts';
import type { Host } from '../../core/host.ts';
import { hasEnded, imagesOf, type Job, type JobState } from '../../core/job.ts';
import { imageView, jobView, outputView } from '../../core/job-view.ts';
import { type Missing, missingOf } from '../../core/missing-requirements.ts';
import { etaSeconds } from '../../core/estimate.ts';
import { type Waiting, waitForHost, waitOfState } from '../../core/waiting.ts';
import { readGraph } from '../../images/documents.ts';
import { linkOfOutput } from '../http/output-link.ts';
import type { Shared } from './shared.ts';

/** `GET /api/status/<id>`. @param origin of the links, undefined for S3's own */
export async function statusView(deps: Shared, job: Job, origin: string | undefined) {
  const { state } = job;
  const position = hasEnded(state) ? null : await deps.queue.position(state);
  const { waiting, eta, missing } = await outlookOf(deps, job, position);
  const outputs = state.outputs ?? [];
  const links = new Map(
    await Promise.all(
      outputs.map(
        async (output) => [output.filename, await linkOfOutput(deps, state, output, origin)] as const,
      ),
    ),
  );
  return {
    ...jobView(job),
    event_id: eventIdOf(state),
    queue_position: position,
    waiting_for: waiting?.phrase ?? null,
    waiting_code: waiting?.code ?? null,
    waiting_detail: waiting?.detail ?? null,
    waiting_seconds: waiting?.seconds ?? null,
    missing: missing ?? [],
    eta_seconds: eta ?? etaOf(state, deps.now()),
    images: imagesOf(state).map((image) => ({ ...imageView(image), url: links.get(image.filename)! })),
    outputs: outputs.map((output, index) => ({
      ...outputView(output, index + 1),
      url: links.get(output.filename)!,
    })),
  };
}

/** Of a job that waits; nothing of any other. */
interface Outlook {
  waiting?: Waiting;
  eta?: number | null;
  missing?: Missing[];
}

/** @param position in the queue; null: too far back to say, or not waiting */
async function outlookOf(
  { fleet, queue, settings, images, jobs, now }: Shared,
  { state }: Job,
  position: number | null,
): Promise<Outlook> {
  if (state.status !== 'queued') return {};
  const own = waitOfState(state, settings.comfyuiKind, now());
  if (own) return { waiting: own };
  const { held } = await queue.count();
  const estimate = await fleet.estimate(held);
  if (!estimate.unrunnable?.has(state.jobId))
    return { waiting: waitForHost(estimate, state.jobId), eta: etaSeconds(position, estimate) };
  // What is kept in memory of a request is without its graph.
  const request = await jobs.readRequest(state.jobId);
  const graph = request && (await readGraph(images, request));
  const known = await fleet.inventories();
  // When the last host is gone, what it had is still the best guess.
  const asked = known.length > 0 ? known : [{ hostId: 'gone', nodes: (await fleet.inventory()).nodes }];
  const missing = missingOf(graph ?? {}, asked);
  return {
    waiting: waitForHost(estimate, state.jobId, missing),
    missing: missing.slice(0, MAX_MISSING),
  };
}

const MAX_MISSING = 20;

export function takesJobs(host: Host): boolean {
  return host.comfyui && host.state === 'ready';
}

/** A pace shows only when the models are loaded and the first steps are done. */
const PACE_FROM = 0.1;

/** From the pace so far; null before there is one. */
function etaOf(state: JobState, now: number): number | null {
  if (state.status !== 'processing' || state.startedAt === undefined || state.progress < PACE_FROM)
    return null;
  const elapsed = Math.max(0, now - state.startedAt);
  return Math.round((elapsed * (1 - state.progress)) / state.progress / 100) / 10;
}
