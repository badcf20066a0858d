// Where a presigned link must point for this caller: back to the address that they used.

import type { Context } from 'hono';
import type { ApiEnv, ApiSettings } from '../deps.ts';

/** Undefined: S3's own address. */
export function originOf({ links }: ApiSettings, c: Context<ApiEnv>): string | undefined {
  if (links === 'bucket') return undefined;
  return links === 'request' ? new URL(c.req.url).origin : links.origin;
}
