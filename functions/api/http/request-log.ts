// One line of the log for each answer.

import type { MiddlewareHandler } from 'hono';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';
import { traceOf } from './trace.ts';

export function logRequests(log: Log): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const since = performance.now();
    await next();
    log.info('request.answered', {
      requestId: c.get('requestId'),
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(performance.now() - since),
      traceId: traceOf(c)?.parent.slice(3, 35),
    });
  };
}
