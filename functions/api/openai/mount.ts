// Where the façade hangs in the API: at the root, since its clients take a base URL that ends in /v1.

import type { Handler, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { lazily } from '../facade/lazy.ts';

export const V1 = '/v1';

/** @param entry who may come in, and as whom */
export function lazyOpenAI(deps: FacadeDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Handler<ApiEnv> {
  return lazily(async () => import('./app.ts').then(({ createOpenAI }) => createOpenAI(deps, entry)));
}
