// The trace that a request belongs to goes with its caller, so that whatever accepts a job has it.

import type { Context, MiddlewareHandler } from 'hono';
import { readTrace, type Trace } from '../../core/trace.ts';
import type { ApiEnv } from '../deps.ts';

export function traceOf(c: Context): Trace | undefined {
  return readTrace(c.req.header('traceparent'), c.req.header('tracestate'));
}

/** After the caller is known. */
export const traced: MiddlewareHandler<ApiEnv> = (c, next) => {
  const trace = traceOf(c);
  if (trace) c.set('caller', { ...c.get('caller'), trace });
  return next();
};
