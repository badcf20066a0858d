// Errors as the Comfy API v2 has them: `{"error": {"code", "message", "details"}}`, with its codes and statuses. What went wrong is
// judged in one place for both APIs (http/problems.ts); here it gets the contract's name.

import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AnswerError } from '../../core/errors.ts';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import { setHeaders } from '../http/headers.ts';
import { type Problem, problemOf } from '../http/problems.ts';

export type V2Code =
  | 'invalid_workflow'
  | 'workflow_format_ui'
  | 'missing_asset'
  | 'hash_mismatch'
  | 'blob_not_found'
  | 'asset_in_use'
  | 'idempotency_key_reuse'
  | 'metadata_invalid'
  | 'invalid_metadata_filter'
  | 'invalid_cursor'
  | 'invalid_request'
  | 'extra_data_not_supported'
  | 'queue_full'
  | 'rate_limited'
  | 'too_many_streams'
  | 'insufficient_credits'
  | 'storage_full'
  | 'not_found'
  | 'unauthorized'
  | 'forbidden'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'range_not_satisfiable'
  | 'upstream_error';

/** A refusal that the guide's API does not know. */
export class V2Error extends Error {
  override readonly name = 'V2Error';
  constructor(
    readonly status: ContentfulStatusCode,
    readonly code: V2Code,
    message: string,
    readonly details?: Record<string, unknown>,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

interface Said {
  status: ContentfulStatusCode;
  code: V2Code;
  message?: string;
}

/** The contract shows nothing of what lies behind: its message is the same for all of these. */
const UPSTREAM: Said = {
  status: 500,
  code: 'upstream_error',
  message: 'The server could not process the request; try again in a moment',
};

/** What others answer is answered as it is by the contract, where that differs from a request that is wrong. */
const SAID: Partial<Record<AnswerError, Said>> = {
  unauthorized: { status: 401, code: 'unauthorized' },
  forbidden: { status: 403, code: 'forbidden' },
  origin_not_allowed: { status: 403, code: 'forbidden' },
  host_not_allowed: { status: 403, code: 'forbidden' },
  job_not_found: { status: 404, code: 'not_found' },
  image_not_found: { status: 404, code: 'not_found' },
  route_not_found: { status: 404, code: 'not_found' },
  method_not_allowed: { status: 405, code: 'method_not_allowed' },
  upload_in_use: {
    status: 409,
    code: 'asset_in_use',
    message: 'The asset is in use and cannot be deleted now',
  },
  image_in_use: {
    status: 409,
    code: 'asset_in_use',
    message: 'The asset is in use and cannot be deleted now',
  },
  body_too_large: { status: 413, code: 'payload_too_large' },
  unsupported_media_type: { status: 415, code: 'unsupported_media_type' },
  range_not_satisfiable: { status: 416, code: 'range_not_satisfiable' },
  idempotency_mismatch: { status: 422, code: 'idempotency_key_reuse' },
  too_many_waiting: { status: 429, code: 'queue_full' },
  too_many_unfinished: { status: 429, code: 'queue_full' },
  too_many_requests: { status: 429, code: 'rate_limited' },
  // Until the day or the month ends: who retries within a minute, as the clients do at 429, is not helped.
  images_used_up: { status: 402, code: 'insufficient_credits' },
  budget_used_up: { status: 402, code: 'insufficient_credits' },
  uploads_used_up: { status: 422, code: 'storage_full' },
  internal_error: UPSTREAM,
  unavailable: UPSTREAM,
  disk_full: UPSTREAM,
  too_many_readers: UPSTREAM,
  comfyui_not_responding: UPSTREAM,
};

function saidOf({ body, status }: Problem): Said {
  const field = body.details?.field ?? '';
  if (body.code === 'invalid_field' && /^metadata(\.|$)/.test(field))
    return { status: 422, code: 'metadata_invalid' };
  return SAID[body.code] ?? { status, code: 'invalid_request' };
}

export function v2Errors(log: Log) {
  return (error: Error, c: Context<ApiEnv>): Response => {
    if (error instanceof V2Error) return answer(c, error, error.message, error.details, error.headers);
    const problem = problemOf(error, c, log);
    const said = saidOf(problem);
    const details = said === UPSTREAM ? undefined : problem.body.details;
    return answer(c, said, said.message ?? problem.body.error, details, problem.headers);
  };
}

function answer(
  c: Context<ApiEnv>,
  { status, code }: Pick<Said, 'status' | 'code'>,
  message: string,
  details: Record<string, unknown> | undefined,
  headers: Record<string, string>,
): Response {
  setHeaders(c, headers);
  return exactJson(c, { error: { code, message, ...(details && { details }) } }, status);
}
