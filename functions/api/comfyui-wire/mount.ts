// ComfyUI's wire as an app of its own and its sockets, for a port of its own; and below the API's addresses, for clients that poll.
// Each is loaded at its first request: no start pays for it.

import { type Handler, Hono, type MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { lazily } from '../facade/lazy.ts';
import type { Wire, WireDeps } from './deps.ts';

/** The guide's API has addresses of the same names under /api. */
export const POLLED = '/comfyui';

/** @param entry who may come in, and as whom */
export function lazyWire(deps: WireDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Wire {
  let wire: Promise<Wire> | undefined;
  const loaded = () => (wire ??= import('./app.ts').then(({ createWire }) => createWire(deps, entry)));
  return {
    app: new Hono<ApiEnv>().all('*', async (c) => (await loaded()).app.fetch(c.req.raw, c.env)),
    upgrade: (request, socket, head) => void loaded().then(({ upgrade }) => upgrade(request, socket, head)),
  };
}

/** @param entry who may come in, and as whom */
export function lazyPolled(deps: WireDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): Handler<ApiEnv> {
  return lazily(async () =>
    import('./polled.ts').then(({ createPolled }) => createPolled(deps, entry, POLLED)),
  );
}
