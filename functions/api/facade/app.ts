// The frame of a façade: who may come in, what each route may be sent, how what went wrong is said. docs/facades.md has what a
// façade adds.

import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { MAX_BODY_BYTES } from '../../core/limits.ts';
import { createReads } from '../admission/limit-reads.ts';
import type { ApiApp, ApiDeps, ApiEnv } from '../deps.ts';
import { needs } from '../http/access.ts';
import { limitBody } from '../http/body.ts';
import { refuseCoding, refuseLonger } from '../http/headers.ts';
import { refuseOthers } from '../http/methods.ts';
import type { Mounted } from '../http/route.ts';

/** At the address that it names, with nothing before it. */
export type FacadeRoute = Pick<Mounted, 'route' | 'scope' | 'body' | 'errors' | 'reads' | 'handle'>;

export interface Facade {
  deps: Pick<ApiDeps, 'settings' | 'now'>;
  /** Who may come in, and as whom. */
  entry: readonly MiddlewareHandler<ApiEnv>[];
  routes: readonly FacadeRoute[];
  /** Says errors as the façade's clients read them. */
  errors(error: Error, c: Context<ApiEnv>): Response;
}

/** Its requests carry the request id of the app that it hangs in. */
export function createFacade({ deps: { settings, now }, entry, routes, errors }: Facade): ApiApp {
  const app = new Hono<ApiEnv>();
  const reads = createReads(settings.ownerLimits?.readsPerMinute, now);
  app.use(
    (c, next) => {
      c.set('requestId', c.env?.requestId ?? '');
      return next();
    },
    ...entry,
    (c, next) => {
      refuseCoding(c);
      return next();
    },
  );
  for (const { route, scope, body, errors: own, reads: count = 1, handle } of routes) {
    const [method, path] = route.split(' ') as [string, string];
    if (scope) app.on(method, path, needs(scope));
    // What counts its requests in the table is not counted here too.
    if (!own?.includes('too_many_requests'))
      app.on(method, path, (c, next) => {
        reads.take(c.get('caller'), count);
        return next();
      });
    const { bytes, tooLarge } = body?.limit ?? { bytes: MAX_BODY_BYTES, tooLarge: refuseLonger };
    app.on(method, path, limitBody(bytes, tooLarge), handle);
  }
  app.onError(errors);
  app.notFound(refuseOthers(app));
  return app;
}
