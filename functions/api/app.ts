// The REST API as a plain value. Source: test/contract/rest-api-guide.md and docs/api.md.

import { randomUUID } from 'node:crypto';
import { Hono, type MiddlewareHandler } from 'hono';
import { requestId } from 'hono/request-id';
import { LOCAL } from '../core/access.ts';
import { OPEN_AT_MOST, OPEN_CONNECTIONS, IMAGE_READERS } from '../core/limits.ts';
import { countingCancelled } from '../queue/count-cancelled.ts';
import { ADMIN, declaredAdmin, lazyAdmin } from './admin/mount.ts';
import type { Wire } from './comfyui-wire/deps.ts';
import { lazyPolled, lazyWire, POLLED } from './comfyui-wire/mount.ts';
import type { ApiApp, ApiDeps, ApiEnv } from './deps.ts';
import { CONSOLE, lazyConsole } from './console/lazy-console.ts';
import { docsRoutes } from './routes/docs.ts';
import { createFleet } from './caches/fleet.ts';
import { followRoutes } from './routes/follow.ts';
import { crossOrigin, limitBodies, MAX_REQUEST_ID, safeHeaders } from './http/headers.ts';
import { createOpenConnections } from './http/open-connections.ts';
import { historyRoutes } from './routes/history.ts';
import { imageRoutes } from './routes/images.ts';
import { createJobReader } from './caches/job-reader.ts';
import { generateRoutes } from './routes/generate.ts';
import { jobRoutes } from './routes/jobs.ts';
import { queueRoutes } from './routes/queue.ts';
import { refuseOthers } from './http/methods.ts';
import { lazyOpenAI, V1 } from './openai/mount.ts';
import { logRequests } from './http/request-log.ts';
import { countRequests, createRequestCounts } from './http/request-counts.ts';
import { mount, type Route } from './http/route.ts';
import { workflowFileRoutes } from './routes/workflow-files.ts';
import { workflowRoutes } from './routes/workflows.ts';
import { checkOrigin } from './http/browser-origin.ts';
import { traced } from './http/trace.ts';
import { problems } from './http/problems.ts';
import { createTotals } from './caches/totals.ts';
import { createReaders, type Readers } from './http/readers.ts';
import { createQueue } from './caches/queue-view.ts';
import { createReads, limitReads } from './admission/limit-reads.ts';
import { createDerived } from './admission/derived.ts';
import { createLimits } from './admission/limits.ts';
import { systemRoutes } from './routes/system.ts';
import { createUploadQuota } from './admission/upload-quota.ts';
import { createUploads } from './admission/uploads.ts';
import { lazyUrlInputs } from './admission/lazy-url-inputs.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { usageRoutes } from './routes/usage.ts';
import { createWatch } from './caches/watch.ts';
import { lazyRunpod, RUNPOD } from './runpod/mount.ts';
import { lazyMcp, MCP } from './mcp/mount.ts';
import { lazyV2, V2 } from './v2/mount.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import type { Shared } from './routes/shared.ts';

/** Reads no environment and makes no client. @param readers shared with others that serve images; absent: its own */
export function createApp(deps: ApiDeps & { readers?: Readers }): ApiApp {
  return createApps(deps).api;
}

/** The API, and ComfyUI's wire beside it: of one queue, one fleet and the same limits. */
export function createApps({ readers, ...given }: ApiDeps & { readers?: Readers }): {
  api: ApiApp;
  wire: Wire;
} {
  const ledger = given.ledgers.of(`api.${randomUUID()}`);
  const deps = { ...given, jobs: countingCancelled(given.jobs, ledger, given.log) };
  const uploadQuota = createUploadQuota(deps);
  const limits = createLimits(deps);
  const shared: Shared = {
    ...deps,
    fleet: createFleet(deps),
    queue: createQueue(deps.jobs, deps.now),
    totals: createTotals(deps.jobs, deps.now),
    reader: createJobReader(deps.jobs),
    limits,
    reads: createReads(deps.settings.ownerLimits?.readsPerMinute, deps.now),
    derived: createDerived(deps),
    uploadQuota,
    uploads: createUploads({ ...deps, uploadQuota }),
    urlInputs: lazyUrlInputs({ ...deps, limits, uploadQuota }),
    watch: createWatch(deps),
    requests: createRequestCounts(),
    readers: readers ?? createReaders(deps.settings.imageReaders ?? IMAGE_READERS),
    openConnections: createOpenConnections(
      deps.settings.openConnections ?? OPEN_CONNECTIONS,
      deps.settings.openAtMost ?? OPEN_AT_MOST,
      deps.stopping,
    ),
  };
  const entry = entryOf(deps);
  return { api: apiOf(shared, entry), wire: lazyWire(shared, entry) };
}

function apiOf(shared: Shared, entry: readonly MiddlewareHandler<ApiEnv>[]): ApiApp {
  const { log, settings } = shared;
  const app = new Hono<ApiEnv>();

  app.use(requestId({ limitLength: MAX_REQUEST_ID }));
  app.use(logRequests(log));
  app.use(countRequests(shared.requests));
  app.use(safeHeaders(settings));
  app.use(crossOrigin(settings));
  const routes = routesOf(shared);
  const [open, guarded] = [routes.filter(({ scope }) => !scope), routes.filter(({ scope }) => scope)];
  for (const one of open) mount(app, one);
  const refuse = refuseOthers(app);
  // Said without a key, since what comes later asks for one.
  for (const path of new Set(app.routes.filter(({ method }) => method !== 'ALL').map(({ path }) => path)))
    app.all(path, refuse);
  for (const path of CONSOLE) app.all(path, lazyConsole(shared));
  app.all(`${V2}/*`, lazyV2(shared, entry));
  app.all(`${V1}/*`, lazyOpenAI(shared, entry));
  app.all(`${RUNPOD}/*`, lazyRunpod(shared, entry));
  const admin = lazyAdmin(shared, entry);
  for (const path of ADMIN) app.all(path, admin);
  if (settings.polledWire) app.all(`${POLLED}/*`, lazyPolled(shared, entry));
  app.all(MCP, lazyMcp(shared, entry));
  // After CORS: a browser must be able to read the refusal, and its preflight carries no key.
  app.use(...entry);
  app.use(limitReads(shared.reads, guarded));
  app.use(limitBodies(guarded));
  for (const one of guarded) mount(app, one);

  app.onError(problems(log));
  app.notFound(refuse);
  return app;
}

/** Who may come in, and as whom. */
function entryOf({ admit, settings }: ApiDeps): MiddlewareHandler<ApiEnv>[] {
  if (admit) return [admit, traced];
  return [
    checkOrigin(settings, settings.allowedHosts),
    (c, next) => {
      c.set('caller', LOCAL);
      return next();
    },
    traced,
  ];
}

/** In the order of the document. */
function routesOf(shared: Shared): Route[] {
  const routes: Route[] = [
    ...generateRoutes(shared),
    ...followRoutes(shared),
    ...jobRoutes(shared),
    ...queueRoutes(shared),
    ...imageRoutes(shared),
    ...uploadRoutes(shared),
    ...historyRoutes(shared),
    ...webhookRoutes(shared),
    ...workflowRoutes(shared),
    ...workflowFileRoutes(shared),
    ...usageRoutes(shared),
    ...systemRoutes(shared),
    ...docsRoutes(shared, async () => [...routes, ...(await declaredAdmin(shared))]),
  ];
  return routes;
}
