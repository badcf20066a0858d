// Which methods an address takes, for who asks with another; at an address that takes none there is nothing.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { patternOf } from './route.ts';

/** For what none of the app's routes answers. Its routes are read at the first refusal: by then all are there. */
export function refuseOthers(
  app: ApiApp,
  nothing = 'There is nothing at this address',
): (c: Context<ApiEnv>) => never {
  let routes: { method: string; at: RegExp }[] | undefined;
  return (c) => {
    routes ??= app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => ({ method, at: patternOf(path) }));
    const allowed = [...new Set(routes.filter(({ at }) => at.test(c.req.path)).map(({ method }) => method))];
    if (allowed.length === 0) throw new AppError('route_not_found', nothing);
    c.header('Allow', allowed.join(', '));
    throw new AppError('method_not_allowed', `This address takes ${allowed.join(', ')}, not ${c.req.method}`);
  };
}
