// Where the façade hangs in the API: loaded at the first request for it, so that no start and no cold start pays for it.

import type { Handler, MiddlewareHandler } from 'hono';
import type { ApiApp, ApiEnv } from '../deps.ts';
import type { V2Deps } from './deps.ts';

export const V2 = '/api/v2';

/** @param entry who may come in, and as whom */
export function lazyV2(
  deps: Omit<V2Deps, 'prefix' | 'mintOutputs'>,
  entry: readonly MiddlewareHandler<ApiEnv>[],
): Handler<ApiEnv> {
  const { links } = deps.settings;
  // A proxy before us may strip a path, which links to follow must have.
  const path = typeof links === 'object' ? new URL(links.origin).pathname.replace(/\/+$/, '') : '';
  let app: Promise<ApiApp> | undefined;
  return async (c) => {
    app ??= import('./app.ts').then(({ createV2 }) => createV2({ ...deps, prefix: path + V2 }, entry));
    return (await app).fetch(c.req.raw, { ...c.env, requestId: c.get('requestId') });
  };
}
