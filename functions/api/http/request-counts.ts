// How many requests this process has answered, by route and status, and how long answers took to begin. A façade's count under
// its prefix, and what no route takes under `other`, so that callers cannot make more lines.

import { matchedRoutes } from 'hono/route';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';

export interface RequestCount {
  method: string;
  route: string;
  status: number;
  count: number;
  ms: number;
}

export interface RequestCounts {
  add(method: string, route: string, status: number, ms: number): void;
  all(): Iterable<RequestCount>;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function createRequestCounts(): RequestCounts {
  const counts = new Map<string, RequestCount>();
  return {
    add(given, route, status, ms) {
      const method = METHODS.has(given) ? given : 'other';
      const name = `${method} ${route} ${status}`;
      const known = counts.get(name) ?? { method, route, status, count: 0, ms: 0 };
      counts.set(name, { ...known, count: known.count + 1, ms: known.ms + ms });
    },
    all: () => counts.values(),
  };
}

export function countRequests(counts: RequestCounts): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const since = performance.now();
    await next();
    const route = matchedRoutes(c).findLast(({ path }) => !/^\/?\*$/.test(path))?.path ?? 'other';
    counts.add(c.req.method, route, c.res.status, performance.now() - since);
  };
}
