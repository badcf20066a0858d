// The operators' routes, for callers with the scope admin: what the deployment does, and who may call it. Everything is read by
// bounded reads, and remembered for some seconds: a page that is left open costs next to nothing.

import type { MiddlewareHandler } from 'hono';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { createFacade } from '../facade/app.ts';
import { problems } from '../http/problems.ts';
import { addressesOf, type Route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';
import { createEnds } from './ends.ts';
import { endRoutes } from './end-routes.ts';
import { hostRoutes } from './hosts.ts';
import { keyRoutes } from './keys.ts';
import { limitRoutes } from './limits.ts';
import { metricsRoutes } from './metrics.ts';
import { createOwnersQueue, queueRoutes } from './queue.ts';
import { usageRoutes } from './usage.ts';
import { webhookRoutes } from './webhooks.ts';

export function adminRoutes(deps: AdminDeps): Route[] {
  const ends = createEnds(deps);
  const queue = createOwnersQueue(deps);
  return [
    ...hostRoutes(deps),
    ...queueRoutes(queue, deps),
    ...endRoutes(deps, ends),
    ...keyRoutes(deps),
    ...limitRoutes(deps),
    ...usageRoutes(deps),
    ...webhookRoutes(deps),
    ...metricsRoutes(deps, { ends, queue }),
  ];
}

/** @param entry who may come in, and as whom */
export function createAdmin(deps: AdminDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): ApiApp {
  return createFacade({
    deps,
    entry,
    routes: adminRoutes(deps).flatMap((one) =>
      addressesOf(one).map((address) => ({ ...one, route: address as Route['route'] })),
    ),
    errors: problems(deps.log),
  });
}
