// ComfyUI's own page, from the folder of its package (comfyui-frontend-package on PyPI). It is public and holds no one's data: it
// needs no key, what it asks for does.

import { serveStatic } from '@hono/node-server/serve-static';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { setHeaders } from '../http/headers.ts';

/** As ComfyUI's own under --disable-api-nodes: the page compiles scripts, and asks no other origin for anything. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self' data:",
  "connect-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "frame-ancestors 'self'",
].join('; ');

/** Their names change with what they hold. */
const HASHED = /\/assets\/[^/]+-[\w-]{8}\.\w+$/;

/** Files go before the addresses at the root, and never before those under /api. */
export function page(folder: string): MiddlewareHandler<ApiEnv> {
  const serve = serveStatic<ApiEnv>({
    root: folder,
    onFound: (path, c) =>
      setHeaders(c, {
        'Content-Security-Policy': POLICY,
        'Cache-Control': HASHED.test(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
      }),
  });
  return (c, next) => (c.req.path.startsWith('/api/') ? next() : serve(c, next));
}
