// Following a job: its status at once or when it has changed, and as a stream of events. Every event is named `status`,
// has the status as `GET /api/status/<id>` gives it, and an id that stands for what the job looked like: any server can
// tell from it whether there is more to say. While a job waits, an event with the same id says how its place has moved.

import { type Context, Hono } from 'hono';
import { allows, type Caller, sees } from '../../core/access.ts';
import { AppError } from '../../core/errors.ts';
import { eventIdOf, isEventId } from '../../core/event-id.ts';
import { invalid } from '../../core/inputs.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { FOLLOWER_HEARS_EVERY, MAX_WAIT_SECONDS } from '../../core/limits.ts';
import type { Job } from '../../store/jobs.ts';
import { needs } from '../http/access.ts';
import { exactJson } from '../http/exact-json.ts';
import type { ApiEnv, Shared } from '../deps.ts';
import { bodyOf, COME_AGAIN, EVENT_STREAM, eventText, STILL_HERE } from '../http/event-stream.ts';
import type { Place } from '../http/held.ts';
import { hasLimits } from '../admission/limits.ts';
import { jobIdOf, notFound } from './jobs.ts';
import { originOf } from '../http/origin.ts';
import { statusView } from './views.ts';

export function followRoutes(deps: Shared) {
  const stillIn = askAgain(deps);
  return new Hono<ApiEnv>()
    .get('/status/:id', needs('read'), async (c) => {
      const wait = waitOf(c);
      const job = await ownJob(deps, c);
      const state = wait ? await changed(deps, c, job.state, wait) : job.state;
      if (!state) throw notFound();
      return exactJson(c, await statusView(deps, { ...job, state }, originOf(deps.settings, c)));
    })

    .get('/status/:id/events', needs('read'), async (c) => {
      const job = await ownJob(deps, c);
      const known = c.req.header('last-event-id') === eventIdOf(job.state);
      const ended = hasEnded(job.state);
      // There is nothing more to come: an EventSource does not ask again.
      if (known && ended) return c.body(null, 204);
      if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM);
      const origin = originOf(deps.settings, c);
      const tell = async (state: JobState) =>
        eventText('status', eventIdOf(state), await statusView(deps, { ...job, state }, origin));
      const first = known ? STILL_HERE : await tell(job.state);
      const place = ended ? undefined : deps.held.take(c.req.raw.signal, sharerOf(c));
      if (!place) return c.body(ended ? first : first + COME_AGAIN, 200, EVENT_STREAM);
      const may = () => stillIn(c.req.raw, job.state.owner);
      return c.body(
        bodyOf(story(deps, job.state, first, place, { tell, may }), place.free),
        200,
        EVENT_STREAM,
      );
    });
}

/** As another's, so one that there is not. */
async function ownJob({ reader }: Shared, c: Context<ApiEnv>): Promise<Job> {
  const job = await reader.read(jobIdOf(c));
  if (!job || !sees(c.get('caller'), job.state.owner)) throw notFound();
  return job;
}

interface Wait {
  ms: number;
  /** What the caller knows; undefined: what there is now. */
  since: string | undefined;
}

function waitOf(c: Context<ApiEnv>): Wait | undefined {
  const { wait, since } = c.req.query();
  if (since !== undefined && !isEventId(since))
    throw invalid('since', 'must be the event_id of an earlier answer, or the id of an event');
  if (wait === undefined) return undefined;
  if (!/^\d{1,2}$/.test(wait) || Number(wait) > MAX_WAIT_SECONDS)
    throw invalid('wait', `must be a whole number of seconds from 0 to ${MAX_WAIT_SECONDS}`);
  return { ms: Number(wait) * 1000, since };
}

/** Without keys there is one caller, whose all places are. */
function sharerOf(c: Context<ApiEnv>): string | undefined {
  const caller = c.get('caller');
  return hasLimits(caller) ? caller.owner : undefined;
}

/** Undefined: the job was removed meanwhile. */
async function changed(
  { held, watch }: Shared,
  c: Context<ApiEnv>,
  state: JobState,
  { ms, since }: Wait,
): Promise<JobState | undefined> {
  const known = eventIdOf(state);
  if (ms === 0 || hasEnded(state) || (since ?? known) !== known || c.req.method === 'HEAD') return state;
  const place = held.take(c.req.raw.signal, sharerOf(c));
  if (!place) return state;
  try {
    return await watch.change(state, ms, place.signal);
  } finally {
    place.free();
  }
}

/** What a stream says, from `first` to its end. */
async function* story(
  { watch, log }: Shared,
  known: JobState,
  first: string,
  place: Place,
  { tell, may }: { tell(state: JobState): Promise<string>; may(): Promise<boolean> },
): AsyncGenerator<string, void> {
  let state = known;
  let told = first;
  yield first;
  for (;;) {
    const next = await watch.change(state, FOLLOWER_HEARS_EVERY, place.signal);
    // Removed: whoever asks again is told that there is no such job.
    if (!next) return;
    if (place.signal.aborted || !(await may())) break;
    // Only of one that waits does more change than its state.
    const text =
      next === state && state.status !== 'queued'
        ? undefined
        : await tell(next).catch((error: unknown) => {
            log.warn('follower not told', { job_id: next.jobId, error: String(error) });
          });
    if (text === undefined || text === told) yield STILL_HERE;
    else {
      yield text;
      told = text;
      state = next;
      if (hasEnded(state)) return;
    }
  }
  yield COME_AGAIN;
}

/**
 * Asks once more whoever let a request in: the key may have been revoked since. When the keys cannot be read nothing is
 * known to have changed.
 */
function askAgain({ admit }: Shared): (request: Request, owner: string) => Promise<boolean> {
  if (!admit) return () => Promise.resolve(true);
  const door = new Hono<ApiEnv>().use(admit).get('*', (c) => c.json(c.get('caller')));
  door.onError((error, c) => c.body(null, error instanceof AppError ? 401 : 503));
  return async (request, owner) => {
    const answer = await door.fetch(request);
    if (!answer.ok) return answer.status === 503;
    const caller = (await answer.json()) as Caller;
    return allows(caller, 'read') && sees(caller, owner);
  };
}
