// ComfyUI's own wire as a façade over the same jobs and images as the guide's API, served at the root and under /api of a port of its
// own. Source: ComfyUI 0.33's server.py, as docs/comfyui-wire.md describes it.

import { Hono, type MiddlewareHandler } from 'hono';
import { requestId } from 'hono/request-id';
import { createReads, limitReads } from '../admission/limit-reads.ts';
import type { ApiEnv } from '../deps.ts';
import { crossOrigin, limitBodies, MAX_REQUEST_ID, safeHeaders } from '../http/headers.ts';
import { refuseOthers } from '../http/methods.ts';
import { logRequests } from '../http/request-log.ts';
import { mount } from '../http/route.ts';
import type { Wire, WireDeps } from './deps.ts';
import { wireErrors } from './errors.ts';
import { FEATURES } from './features.ts';
import { takeKeyInAddress } from './key-in-address.ts';
import { page } from './page.ts';
import { pageDataRoutes } from './page-data.ts';
import { wireRoutes } from './routes.ts';
import { createSockets } from './sockets.ts';
import { createUpgrade } from './upgrade.ts';

/** @param entry who may come in, and as whom */
export function createWire(deps: WireDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Wire {
  const app = new Hono<ApiEnv>();
  const { log, settings } = deps;
  const sockets = createSockets(deps);
  app.use(requestId({ limitLength: MAX_REQUEST_ID }), logRequests(log));
  app.use(safeHeaders(settings), crossOrigin(settings));
  if (settings.page !== undefined) app.use(page(settings.page));
  app.use(takeKeyInAddress, ...entry);
  const routes = [
    ...wireRoutes(deps, sockets, FEATURES),
    ...(settings.page === undefined ? [] : pageDataRoutes()),
  ];
  app.use(limitReads(createReads(settings.ownerLimits?.readsPerMinute, deps.now), routes));
  app.use(limitBodies(routes));
  for (const one of routes) mount(app, one);
  app.onError(wireErrors(log));
  app.notFound(
    refuseOthers(
      app,
      'This address of ComfyUI is not answered for a fleet; docs/comfyui-wire.md lists those that are',
    ),
  );
  return { app, upgrade: createUpgrade(app, sockets, log) };
}
