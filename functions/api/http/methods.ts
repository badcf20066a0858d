// Which methods an address takes, for who asks with another.

import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';

export function refuseMethod(c: Context<ApiEnv>, allowed: string[]): never {
  c.header('Allow', allowed.join(', '));
  throw new AppError('method_not_allowed', `This address takes ${allowed.join(', ')}, not ${c.req.method}`);
}

/** The methods of the routes that this path matches, whatever was asked for. */
export function methodsOf(app: ApiApp, path: string): string[] {
  const found = app.routes
    .filter((route) => route.method !== 'ALL')
    .filter((route) => new RegExp(`^${route.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(path))
    .map(({ method }) => method);
  return [...new Set(found)];
}
