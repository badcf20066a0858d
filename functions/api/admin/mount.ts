// Where the operators' routes hang in the API, loaded at the first request for one, and how they are declared in its document.

import type { Handler, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { lazily } from '../facade/lazy.ts';
import type { Declared } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';

export const ADMIN = ['/api/admin/*', '/api/metrics', '/metrics'];

/** @param entry who may come in, and as whom */
export function lazyAdmin(deps: AdminDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Handler<ApiEnv> {
  return lazily(async () => import('./app.ts').then(({ createAdmin }) => createAdmin(deps, entry)));
}

export async function declaredAdmin(deps: AdminDeps): Promise<Declared[]> {
  return (await import('./app.ts')).adminRoutes(deps);
}
