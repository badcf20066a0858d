// RunPod's endpoint API as a façade over the same jobs, with the payload and the answers of worker-comfyui. Source: RunPod's
// "Operation reference", runpod-sdk 1.1.2 (npm), runpod 1.12.0 (PyPI), worker-comfyui 5, and docs/runpod.md. Loaded at the first request.

import type { Context, MiddlewareHandler } from 'hono';
import { AppError } from '../../core/errors.ts';
import { invalid } from '../../core/inputs.ts';
import { hasEnded, type JobState } from '../../core/job.ts';
import { isJobId } from '../../core/names.ts';
import { MB } from '../../core/quota.ts';
import { runpodJob, runpodStatus } from '../../core/runpod-view.ts';
import { accept } from '../admission/accept.ts';
import { cancelJob } from '../admission/cancel.ts';
import { clearWaiting } from '../admission/clear.ts';
import { ownJob } from '../admission/own-job.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { createFacade, type FacadeRoute } from '../facade/app.ts';
import { heldUntilEnd } from '../facade/held.ts';
import { setHeaders } from '../http/headers.ts';
import { idempotencyKeyOf } from '../http/idempotency-key.ts';
import { originOf } from '../http/link-origin.ts';
import { jobNotFound } from '../http/parameters.ts';
import { problems } from '../http/problems.ts';
import type { RunpodDeps } from './deps.ts';
import { endpointOf } from './endpoints.ts';
import { health } from './health.ts';
import { jobAnswers } from './job-answer.ts';
import { pacedUntilEnd } from './paced.ts';
import { runBodyOf } from './run-body.ts';
import { withOptions } from './run-options.ts';
import { takenOnce } from './taken-once.ts';
import { wantedFor } from './wanted.ts';

/** RunPod's bound of `runsync`; that of its `run` is half of it. */
const MAX_BODY_BYTES = 20 * MB;
/** Of `?wait`, ms. */
const WAIT = { least: 1000, most: 300_000, otherwise: 90_000 };
/** How long a read of the stream waits for the end: its clients ask again at once. */
const STREAM_WAITS = 10_000;
/**
 * A job is polled once a second, and over https a poll that is refused is the last: PyPI's client raises, and its job goes on
 * unread (findings/runpod-https-unrepeated.sh). So four weigh as much as one read.
 */
const POLL = 0.25;

/** @param entry who may come in, and as whom */
export function createRunpod(deps: RunpodDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): ApiApp {
  return createFacade({
    deps,
    entry,
    routes: [...runRoutes(deps), ...jobRoutes(deps), ...queueRoutes(deps)],
    errors: problems(deps.log),
  });
}

const RUN = {
  scope: 'generate',
  body: { limit: { bytes: MAX_BODY_BYTES, tooLarge } },
  errors: ['too_many_requests'],
} as const;

function runRoutes(deps: RunpodDeps): FacadeRoute[] {
  const answer = jobAnswers(deps);
  return [
    {
      ...RUN,
      route: 'POST /v2/:endpoint/run',
      async handle(c) {
        const { jobId: id, ...state } = await run(deps, c);
        return c.json({ id, status: runpodStatus(state) });
      },
    },
    {
      ...RUN,
      route: 'POST /v2/:endpoint/runsync',
      async handle(c) {
        const wait = waitOf(c);
        const state = await heldUntilEnd(deps, c, await run(deps, c), wait);
        if (!state) throw jobNotFound();
        return c.json(await answer.whole(state, originOf(deps.settings, c)));
      },
    },
  ];
}

function jobRoutes(deps: RunpodDeps): FacadeRoute[] {
  const answer = jobAnswers(deps);
  const once = takenOnce();
  const stateOf = async (c: Context<ApiEnv>) => {
    endpointOf(deps, c);
    return (await ownJob(deps, c.get('caller'), idOf(c))).state;
  };
  return [
    {
      route: 'GET /v2/:endpoint/status/:id',
      scope: 'read',
      reads: POLL,
      handle: async (c) => c.json(await answer.whole(await stateOf(c), originOf(deps.settings, c))),
    },
    {
      route: 'GET /v2/:endpoint/status-sync/:id',
      scope: 'read',
      reads: POLL,
      async handle(c) {
        const wait = waitOf(c);
        const state = await pacedUntilEnd(deps, c, await stateOf(c), wait);
        if (!state) throw jobNotFound();
        return c.json(await answer.whole(state, originOf(deps.settings, c)));
      },
    },
    {
      route: 'GET /v2/:endpoint/stream/:id',
      scope: 'read',
      reads: POLL,
      async handle(c) {
        const state = await pacedUntilEnd(deps, c, await stateOf(c), STREAM_WAITS);
        if (!state) throw jobNotFound();
        const read = () => answer.output(state, originOf(deps.settings, c));
        const output = state.status === 'completed' ? await once(state.jobId, read) : undefined;
        return c.json({ ...runpodJob(state), stream: output ? [{ output }] : [] });
      },
    },
    {
      route: 'POST /v2/:endpoint/cancel/:id',
      scope: 'generate',
      async handle(c) {
        endpointOf(deps, c);
        const ended = await cancelJob(deps, c.get('caller'), idOf(c));
        return c.json({ id: idOf(c), status: ended ? runpodStatus(ended) : 'CANCELLED' });
      },
    },
    {
      route: 'POST /v2/:endpoint/retry/:id',
      scope: 'generate',
      async handle(c) {
        const state = await stateOf(c);
        throw hasEnded(state)
          ? new AppError('already_ended', 'A job that has ended stays as it is: send it again with /run')
          : new AppError(
              'not_ended',
              'This job has not ended: an attempt that is lost is repeated by itself',
            );
      },
    },
  ];
}

function queueRoutes(deps: RunpodDeps): FacadeRoute[] {
  return [
    {
      route: 'POST /v2/:endpoint/purge-queue',
      scope: 'generate',
      async handle(c) {
        endpointOf(deps, c);
        const caller = c.get('caller');
        const { cleared, remaining } = await clearWaiting(deps, caller, caller.owner);
        return c.json({ removed: cleared + remaining, status: 'completed' });
      },
    },
    {
      route: 'GET /v2/:endpoint/health',
      scope: 'read',
      async handle(c) {
        endpointOf(deps, c);
        return c.json(await health(deps, c.get('caller').owner));
      },
    },
  ];
}

/** The job as it was accepted now, or as it stands where its request came again. */
async function run(deps: RunpodDeps, c: Context<ApiEnv>): Promise<JobState> {
  const endpoint = endpointOf(deps, c);
  const key = idempotencyKeyOf(c);
  const caller = c.get('caller');
  const { input, options } = await runBodyOf(c, deps);
  const wanted = withOptions(await wantedFor(deps, caller, endpoint, input), options);
  const { request, state, headers } = await accept(deps, caller, wanted, key);
  setHeaders(c, headers);
  if (state) return state;
  c.header('Idempotency-Replayed', 'true');
  return (await ownJob(deps, caller, request.jobId)).state;
}

/** ms. @throws AppError invalid_field */
function waitOf(c: Context<ApiEnv>): number {
  const given = c.req.query('wait');
  if (given === undefined) return WAIT.otherwise;
  const wait = Number(given);
  if (!/^\d{1,9}$/.test(given) || wait < WAIT.least || wait > WAIT.most)
    throw invalid('wait', `must be milliseconds, ${WAIT.least} to ${WAIT.most}`);
  return wait;
}

/** In whichever case it is written. @throws AppError job_not_found */
function idOf(c: Context<ApiEnv>): string {
  const id = (c.req.param('id') ?? '').toLowerCase();
  if (!isJobId(id)) throw jobNotFound();
  return id;
}

function tooLarge(): never {
  throw new AppError(
    'body_too_large',
    `The body may have at most ${MAX_BODY_BYTES / MB} MB; upload larger files first (POST /api/upload/link)`,
  );
}
