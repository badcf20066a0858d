// Where the façade hangs in the API.

import type { Handler, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import type { FacadeDeps } from '../facade/deps.ts';
import { lazily } from '../facade/lazy.ts';

export const MCP = '/mcp';

/** @param entry who may come in, and as whom */
export function lazyMcp(deps: FacadeDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Handler<ApiEnv> {
  return lazily(async () => {
    const [{ createMcp }, sdk] = await Promise.all([import('./app.ts'), import('./sdk.ts')]);
    return createMcp({ ...deps, sdk }, entry);
  });
}
