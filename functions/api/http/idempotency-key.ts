// The key by which a repeated request finds the job of the first one.

import type { Context } from 'hono';
import { invalid } from '../../core/inputs.ts';
import type { ApiEnv } from '../deps.ts';

/** @throws AppError invalid_field */
export function idempotencyKeyOf(c: Context<ApiEnv>): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key))
    throw invalid('Idempotency-Key', 'must have 1 to 255 printable ASCII characters without spaces');
  return key;
}
