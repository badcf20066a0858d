// Where the façade hangs in the API.

import type { Handler, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { lazily } from '../facade/lazy.ts';
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
  return lazily(async () =>
    import('./app.ts').then(({ createV2 }) => createV2({ ...deps, prefix: path + V2 }, entry)),
  );
}
