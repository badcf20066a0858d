// Where the façade hangs in the API: at its root, as the addresses of RunPod's clients begin.

import type { Handler, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { lazily } from '../facade/lazy.ts';
import type { RunpodDeps } from './deps.ts';

export const RUNPOD = '/v2';

/** @param entry who may come in, and as whom */
export function lazyRunpod(deps: RunpodDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Handler<ApiEnv> {
  return lazily(async () => import('./app.ts').then(({ createRunpod }) => createRunpod(deps, entry)));
}
