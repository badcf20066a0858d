// Following a job: its status at once or when it has changed, and as a stream of events. Every event is named `status`,
// has the status as `GET /api/status/<id>` gives it, and an id that stands for what the job looked like: any server can
// tell from it whether there is more to say. While a job waits, an event with the same id says how its place has moved. Who asks
// for previews gets events named `preview` between them, without an id: a server that is asked again starts from a status.

import type { Context } from 'hono';
import { EVENT_ID, eventIdOf } from '../../core/event-id.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { MAX_WAIT_SECONDS } from '../../core/limits.ts';
import { ownJob, sharerOf } from '../admission/own-job.ts';
import type { ApiEnv } from '../deps.ts';
import { type AnswerName, json, ref } from '../http/answers.ts';
import { bodyOf, COME_AGAIN, EVENT_STREAM, eventText, STILL_HERE } from '../http/event-stream.ts';
import { originOf } from '../http/link-origin.ts';
import { askAgain } from '../http/access.ts';
import { choice, jobId, jobNotFound, matching, text, whole } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { Shared } from './shared.ts';
import { statusView } from './views.ts';

const dataOf = (schema: AnswerName) => ({
  type: 'string',
  contentMediaType: 'application/json',
  contentSchema: ref(schema),
});

/** Of each event; one without data only says that the stream lives, or when to come again. */
const EVENT = {
  oneOf: [
    {
      type: 'object',
      properties: { event: { const: 'status' }, id: { type: 'string' }, data: dataOf('JobStatus') },
    },
    {
      type: 'object',
      properties: { event: { const: 'preview' }, data: dataOf('JobPreview') },
    },
  ],
};

export const followRoutes = (deps: Shared) => {
  const stillIn = askAgain(deps);
  return [
    route(
      {
        route: 'GET /status/:id',
        id: 'status',
        tag: 'Jobs',
        summary: 'How a job stands',
        description: 'Read as strongly as the table can; never refused for its rate at one request a second.',
        scope: 'read',
        parameters: {
          id: jobId,
          wait: whole(
            {
              name: 'wait',
              description:
                'Seconds for which the answer is held until something changes; where too many are held already it comes at once',
            },
            { minimum: 0, maximum: MAX_WAIT_SECONDS },
            ' of seconds',
          ),
          since: matching(
            {
              name: 'since',
              in: 'query',
              description: 'The event_id that one knows: changes are looked for from there; else from now on',
            },
            EVENT_ID,
            'be the event_id of an earlier answer, or the id of an event',
          ),
        },
        answers: { 200: json('The job', 'JobStatus') },
        errors: ['job_not_found', 'invalid_field'],
      },
      async (c, { id, wait = 0, since }) => {
        const job = await ownJob(deps, c.get('caller'), id);
        const state = await changed(deps, c, job.state, { wait, since });
        if (!state) throw jobNotFound();
        return statusView(deps, { ...job, state }, originOf(deps.settings, c));
      },
    ),

    route(
      {
        route: 'GET /status/:id/events',
        id: 'statusEvents',
        tag: 'Jobs',
        summary: 'How a job stands, as it changes',
        description:
          'Server-sent events named `status`: the data is what GET /api/status/{id} answers, the id its event_id. The stream ends with the job. Where too many are held already it says what is known and ends with `retry:`: an EventSource asks again by itself. With `previews=1` events named `preview`, without an id, show the unfinished image where ComfyUI makes previews: at most two a second of a host in this process, one each 2 s of another.',
        scope: 'read',
        parameters: {
          id: jobId,
          heard: text({
            name: 'Last-Event-ID',
            in: 'header',
            description: 'The id of the last event that was heard, from whichever server',
          }),
          previews: choice(
            { name: 'previews', in: 'query', description: '1: with previews, where some come' },
            ['0', '1'],
          ),
        },
        answers: {
          200: { description: 'The events', content: { 'text/event-stream': EVENT } },
          204: { description: 'The job has ended, and its last event was heard' },
        },
        errors: ['job_not_found', 'invalid_field'],
      },
      async (c, { id, heard, previews }) => {
        const job = await ownJob(deps, c.get('caller'), id);
        const known = heard === eventIdOf(job.state);
        const ended = hasEnded(job.state);
        // There is nothing more to come: an EventSource does not ask again.
        if (known && ended) return c.body(null, 204);
        if (c.req.method === 'HEAD') return c.body(null, 200, EVENT_STREAM);
        // No cold start pays for a stream.
        const { statusEvents } = await import('./status-events.ts');
        const origin = originOf(deps.settings, c);
        const report = async (state: JobState) =>
          eventText('status', eventIdOf(state), await statusView(deps, { ...job, state }, origin));
        const first = known ? STILL_HERE : await report(job.state);
        const slot = ended
          ? undefined
          : deps.openConnections.take(c.req.raw.signal, sharerOf(c.get('caller')));
        if (!slot) return c.body(ended ? first : first + COME_AGAIN, 200, EVENT_STREAM);
        const may = () => stillIn(c.req.raw, job.state.owner);
        const showsPreviews = previews === '1';
        return c.body(
          bodyOf(statusEvents(deps, job.state, first, slot, { report, may, showsPreviews }), slot.free),
          200,
          EVENT_STREAM,
        );
      },
    ),
  ];
};

/** Returns undefined if the job was removed. */
async function changed(
  { openConnections, watch }: Shared,
  c: Context<ApiEnv>,
  state: JobState,
  { wait, since }: { wait: number; since: string | undefined },
): Promise<JobState | undefined> {
  const known = eventIdOf(state);
  if (wait === 0 || hasEnded(state) || (since ?? known) !== known || c.req.method === 'HEAD') return state;
  const slot = openConnections.take(c.req.raw.signal, sharerOf(c.get('caller')));
  if (!slot) return state;
  try {
    return await watch.change(state, wait * 1000, slot.signal);
  } finally {
    slot.free();
  }
}
