// ComfyUI's wire as an app of its own, for a port of its own. Loaded at its first request: no start pays for it.

import { Hono, type MiddlewareHandler } from 'hono';
import type { ApiApp, ApiEnv } from '../deps.ts';
import type { WireDeps } from './deps.ts';

/** @param entry who may come in, and as whom */
export function lazyWire(deps: WireDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): ApiApp {
  let app: Promise<ApiApp> | undefined;
  return new Hono<ApiEnv>().all('*', async (c) => {
    app ??= import('./app.ts').then(({ createWire }) => createWire(deps, entry));
    return (await app).fetch(c.req.raw, c.env);
  });
}
