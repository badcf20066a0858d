// An answer in JSON whose whole numbers are exact: `c.json` throws at those that a JavaScript number cannot hold.

import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { stringifyJson } from '../../core/json.ts';
import type { ApiEnv } from '../deps.ts';

export function exactJson(c: Context<ApiEnv>, value: unknown, status: ContentfulStatusCode = 200): Response {
  return c.body(stringifyJson(value), status, { 'Content-Type': 'application/json' });
}
