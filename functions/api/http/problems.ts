// Errors as HTTP: the guide's `{"error": "<sentence>"}`, with `code` for machines. Never a stack trace or a path.

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { withoutKeys } from '../../core/access.ts';
import { AppError, type ErrorCode } from '../../core/errors.ts';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';

const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  unauthorized: 401,
  forbidden: 403,
  origin_not_allowed: 403,
  host_not_allowed: 403,
  unsupported_media_type: 415,
  body_too_large: 413,
  job_not_found: 404,
  image_not_found: 404,
  webhook_not_found: 404,
  workflow_not_found: 404,
  route_not_found: 404,
  method_not_allowed: 405,
  already_ended: 409,
  not_ended: 409,
  upload_in_use: 409,
  image_in_use: 409,
  idempotency_mismatch: 422,
  range_not_satisfiable: 416,
  too_many_waiting: 429,
  too_many_requests: 429,
  too_many_unfinished: 429,
  images_used_up: 429,
  budget_used_up: 429,
  uploads_used_up: 429,
  comfyui_not_responding: 503,
  too_many_readers: 503,
};

export function statusOf(code: ErrorCode): ContentfulStatusCode {
  return STATUS[code] ?? 400;
}

export function problems(log: Log) {
  return (error: Error, c: Context<ApiEnv>): Response => {
    if (error instanceof AppError) {
      const { code, message, details } = error;
      if (code === 'too_many_waiting' || code === 'too_many_readers') c.header('Retry-After', '5');
      return c.json({ error: message, code, ...(details && { details }) }, statusOf(code));
    }
    if (error instanceof HTTPException) {
      const code = error.status === 413 ? 'body_too_large' : 'bad_request';
      return c.json({ error: error.message || 'The request cannot be read', code }, error.status);
    }
    const requestId = c.get('requestId');
    if (isBrokenOff(error, c)) {
      log.debug('request broke off', { request_id: requestId, path: withoutKeys(c.req.path) });
      return c.json({ error: 'The request broke off', code: 'bad_request' }, 400);
    }
    if (isStorageFull(error)) {
      log.warn('disk full', { request_id: requestId, path: withoutKeys(c.req.path) });
      c.header('Retry-After', '10');
      return c.json(
        {
          error:
            'The disk is full; what is deleted makes room: DELETE /api/upload/image/<name>, DELETE /api/history/<job_id>',
          code: 'disk_full',
        },
        503,
      );
    }
    if (isUnanswered(error)) {
      log.error('table or bucket did not answer', error, {
        request_id: requestId,
        path: withoutKeys(c.req.path),
      });
      c.header('Retry-After', '2');
      return c.json(
        { error: 'The job table or the image bucket does not answer; try again', code: 'unavailable' },
        503,
      );
    }
    log.error('request failed', error, { request_id: requestId, path: withoutKeys(c.req.path) });
    return c.json({ error: `Internal error; request ${requestId}`, code: 'internal_error' }, 500);
  };
}

/** The embedded table or bucket has surely not written it. */
export function isStorageFull(error: unknown): boolean {
  return error instanceof Error && error.name === 'StorageFull';
}

/** Its body will never come: nobody's mistake here, and nobody reads the answer. */
function isBrokenOff(error: Error & { code?: string }, c: Context<ApiEnv>): boolean {
  return error.code === 'ECONNRESET' && c.req.raw.signal.aborted;
}

/** The SDK gave up: nothing is wrong with the request. */
function isUnanswered(error: Error): boolean {
  const { $metadata, code, name } = error as Error & {
    $metadata?: { httpStatusCode?: number };
    code?: string;
  };
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 || name.includes('Throttl') || name.includes('Throughput');
  return name === 'TimeoutError' || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code ?? '');
}
