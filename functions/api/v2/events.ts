// GET /api/v2/jobs/{id}/events: a job's status, progress and outputs as server-sent events. The contract's stream is live only; here
// each event has an id beside, so that a client which sends Last-Event-ID hears nothing twice, at any server, and a
// stream that is opened after the end says again how the job ended.

import type { Context } from 'hono';
import { eventIdOf } from '../../core/event-id.ts';
import { hasEnded, type Job, type JobState } from '../../core/job.ts';
import { TIMINGS } from '../../core/timings.ts';
import { ownJob, sharerOf } from '../admission/own-job.ts';
import type { ApiEnv } from '../deps.ts';
import { askAgain } from '../http/access.ts';
import { bodyOf, COME_AGAIN, EVENT_STREAM, eventText, STILL_HERE } from '../http/event-stream.ts';
import { originOf } from '../http/link-origin.ts';
import type { Slot } from '../http/open-connections.ts';
import type { V2Deps } from './deps.ts';
import { V2Error } from './errors.ts';
import { progressView, v2Status } from './job-view.ts';
import { outputViews } from './outputs.ts';

const COME_AGAIN_SECONDS = 5;

export function jobEvents(deps: V2Deps) {
  const stillIn = askAgain(deps);
  return async (c: Context<ApiEnv>, jobId: string): Promise<Response> => {
    const caller = c.get('caller');
    const job = await ownJob(deps, caller, jobId);
    const isHeard = c.req.header('last-event-id') === eventIdOf(job.state);
    const ended = hasEnded(job.state);
    // There is nothing more to come: an EventSource does not ask again.
    if (isHeard && ended) return c.body(null, 204);
    if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM);
    const report = reporter(deps, job, originOf(deps.settings, c));
    if (ended) return c.body(await report(job.state, undefined), 200, EVENT_STREAM);
    const slot = deps.openConnections.take(c.req.raw.signal, sharerOf(caller));
    if (!slot)
      throw new V2Error(
        429,
        'too_many_streams',
        'Too many event streams are open: close one, or poll the job instead',
        undefined,
        { 'Retry-After': String(COME_AGAIN_SECONDS) },
      );
    const may = () => stillIn(c.req.raw, job.state.owner);
    const texts = eventsOf(deps, job.state, slot, { report, may, isHeard });
    return c.body(bodyOf(texts, slot.free), 200, EVENT_STREAM);
  };
}

type Report = (state: JobState, before: JobState | undefined) => Promise<string>;

/** What there is to say of a state to one who knows `before`, or nothing yet. The status of an end comes last. */
function reporter(deps: V2Deps, { request }: Job, origin: string | undefined): Report {
  let place: number | null = null;
  return async (state, before) => {
    const id = eventIdOf(state);
    const position = await deps.queue.position(state);
    const status = v2Status(state);
    const events: [string, unknown][] = [];
    if (!before || v2Status(before) !== status || position !== place)
      events.push(['status', { status, queue_position: position }]);
    place = position;
    const progress = progressView(state, request);
    if (progress && !(before && isAlike(progressView(before, request), progress)))
      events.push(['progress', progress]);
    for (const output of await outputViews(deps, state, origin)) events.push(['output', output]);
    if (hasEnded(state)) events.push(...events.splice(0, 1));
    return events.map(([event, data]) => eventText(event, id, data)).join('');
  };
}

function isAlike(before: unknown, after: unknown): boolean {
  return JSON.stringify(before) === JSON.stringify(after);
}

async function* eventsOf(
  { watch, log, timings = TIMINGS }: V2Deps,
  known: JobState,
  slot: Slot,
  { report, may, isHeard }: { report: Report; may(): Promise<boolean>; isHeard: boolean },
): AsyncGenerator<string, void> {
  let state = known;
  yield isHeard ? STILL_HERE : await report(known, undefined);
  for (;;) {
    const next = await watch.change(state, timings.followerHearsEvery, slot.signal);
    // Removed: the next request is answered with 404.
    if (!next) return;
    if (slot.signal.aborted || !(await may())) break;
    const text = await report(next, state).catch((error: unknown) => {
      log.warn('follower.report_failed', { jobId: next.jobId, error: String(error) });
    });
    yield text || STILL_HERE;
    // What could not be said is tried again.
    if (text === undefined) continue;
    state = next;
    if (hasEnded(state)) return;
  }
  yield COME_AGAIN;
}
