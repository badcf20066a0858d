// The Comfy API v2 as a façade over the same jobs and images as the guide's API: one table, one state machine, so that jobs of
// either are seen by the other. Source: test/contract/comfy-api-v2.openapi.yaml and docs/comfy-api-v2.md. Loaded at the first request.

import type { Context, MiddlewareHandler } from 'hono';
import { AppError } from '../../core/errors.ts';
import { MAX_ASSET_BYTES, MAX_GRAPH_BYTES } from '../../core/limits.ts';
import { isJobId } from '../../core/names.ts';
import { MB } from '../../core/quota.ts';
import { readGraph } from '../../images/documents.ts';
import { cancelJob } from '../admission/cancel.ts';
import { ownJob } from '../admission/own-job.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { createFacade, type FacadeRoute } from '../facade/app.ts';
import { exactJson } from '../http/exact-json.ts';
import { FORM_OVERHEAD } from '../http/file-form.ts';
import { originOf } from '../http/link-origin.ts';
import { jobNotFound } from '../http/parameters.ts';
import { assetFromHash, deleteAsset, headByHash, uploadAsset } from './assets.ts';
import { assetView, findAsset } from './asset-view.ts';
import { assetContent } from './content.ts';
import { assetFromUpload } from './from-upload.ts';
import type { V2Deps } from './deps.ts';
import { v2Errors } from './errors.ts';
import { jobEvents } from './events.ts';
import { jobView } from './job-view.ts';
import { listJobs } from './list.ts';
import { logsOf } from './logs.ts';
import { outputMint } from './outputs.ts';
import { submit } from './submit.ts';

/** A graph, and what is sent beside it. */
const MAX_BODY_BYTES = MAX_GRAPH_BYTES + 64 * 1024;

/** @param entry who may come in, and as whom */
export function createV2(
  shared: Omit<V2Deps, 'mintOutputs'>,
  entry: readonly MiddlewareHandler<ApiEnv>[],
): ApiApp {
  const deps: V2Deps = { ...shared, mintOutputs: outputMint(shared) };
  return createFacade({
    deps,
    entry,
    routes: [...jobRoutes(deps), ...assetRoutes(deps)],
    errors: v2Errors(deps.log),
  });
}

function jobRoutes(deps: V2Deps): FacadeRoute[] {
  const events = jobEvents(deps);
  const origin = (c: Context<ApiEnv>) => originOf(deps.settings, c);
  const job = (c: Context<ApiEnv>) => ownJob(deps, c.get('caller'), idOf(c));
  return [
    {
      route: 'POST /api/v2/jobs',
      scope: 'graphs',
      body: { limit: { bytes: MAX_BODY_BYTES, tooLarge } },
      errors: ['too_many_requests'],
      handle: (c) => submit(deps, c),
    },
    { route: 'GET /api/v2/jobs', scope: 'read', handle: (c) => listJobs(deps, c) },
    {
      route: 'GET /api/v2/jobs/:id',
      scope: 'read',
      handle: async (c) => exactJson(c, await jobView(deps, await job(c), origin(c))),
    },
    {
      route: 'GET /api/v2/jobs/:id/workflow',
      scope: 'read',
      async handle(c) {
        const { request } = await job(c);
        const whole = await deps.jobs.readRequest(request.jobId);
        const workflow = whole && (await readGraph(deps.images, whole));
        if (!workflow) throw jobNotFound();
        return exactJson(c, { workflow, format: 'api' });
      },
    },
    { route: 'GET /api/v2/jobs/:id/events', scope: 'read', handle: async (c) => events(c, idOf(c)) },
    {
      route: 'GET /api/v2/jobs/:id/logs',
      scope: 'read',
      async handle(c) {
        const logs = logsOf(await job(c), deps.now());
        return logs ? exactJson(c, logs) : c.body(null, 204);
      },
    },
    {
      route: 'POST /api/v2/jobs/:id/cancel',
      scope: 'generate',
      async handle(c) {
        await cancelJob(deps, c.get('caller'), idOf(c));
        return exactJson(c, await jobView(deps, await job(c), origin(c)));
      },
    },
  ];
}

function assetRoutes(deps: V2Deps): FacadeRoute[] {
  const tooLarge = () => {
    throw new AppError('body_too_large', `An asset may have at most ${MAX_ASSET_BYTES / MB} MB`);
  };
  return [
    {
      route: 'POST /api/v2/assets',
      scope: 'generate',
      body: { limit: { bytes: MAX_ASSET_BYTES + FORM_OVERHEAD, tooLarge } },
      errors: ['too_many_requests'],
      handle: (c) => uploadAsset(deps, c, MAX_ASSET_BYTES, tooLarge),
    },
    {
      route: 'POST /api/v2/assets/from-hash',
      scope: 'generate',
      errors: ['too_many_requests'],
      handle: (c) => assetFromHash(deps, c),
    },
    {
      route: 'POST /api/v2/assets/from-upload',
      scope: 'generate',
      errors: ['too_many_requests'],
      handle: (c) => assetFromUpload(deps, c),
    },
    {
      route: 'GET /api/v2/assets/by-hash/:hash',
      async handle(c) {
        if (c.req.method === 'HEAD') return headByHash(deps, c);
        c.header('Allow', 'HEAD');
        throw new AppError('method_not_allowed', 'This address takes HEAD');
      },
    },
    {
      route: 'GET /api/v2/assets/:id',
      scope: 'read',
      async handle(c) {
        const found = await findAsset(deps, c.get('caller'), c.req.param('id') ?? '');
        return exactJson(c, await assetView(deps, found, originOf(deps.settings, c)));
      },
    },
    { route: 'DELETE /api/v2/assets/:id', scope: 'generate', handle: (c) => deleteAsset(deps, c) },
    { route: 'GET /api/v2/assets/:id/content', scope: 'read', handle: (c) => assetContent(deps, c) },
  ];
}

/** In whichever case it is written. @throws AppError job_not_found */
function idOf(c: Context<ApiEnv>): string {
  const id = (c.req.param('id') ?? '').toLowerCase();
  if (!isJobId(id)) throw jobNotFound();
  return id;
}

function tooLarge(): never {
  throw new AppError('body_too_large', `A graph may have at most ${MAX_GRAPH_BYTES / MB} MB`);
}
