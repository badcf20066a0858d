// `?token=`: a key in the address, where a client cannot set headers.

import type { Context, Next } from 'hono';
import type { ApiEnv } from '../deps.ts';

export function takeKeyInAddress(c: Context<ApiEnv>, next: Next): Promise<void> {
  c.set('keyInAddress', c.req.query('token'));
  return next();
}
