// Errors as OpenAI has them: `{"error": {"message", "type", "param", "code"}}`. What went wrong is judged in one place for all APIs
// (http/problems.ts); here it gets OpenAI's names. Its SDKs repeat 408, 409, 429 and 5xx by themselves, unless `x-should-retry` says
// otherwise.

import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { AnswerError } from '../../core/errors.ts';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import { setHeaders } from '../http/headers.ts';
import { problemOf } from '../http/problems.ts';

export type ErrorType =
  | 'invalid_request_error'
  | 'image_generation_error'
  | 'insufficient_quota'
  | 'requests'
  | 'server_error';

/** Of values that are wrong; other codes say what else is. */
export type ValueCode =
  | 'invalid_value'
  | 'invalid_type'
  | 'unsupported_value'
  | 'unsupported_parameter'
  | 'unknown_parameter'
  | 'missing_required_parameter'
  | 'model_not_found'
  | 'integer_below_min_value'
  | 'integer_above_max_value';

export const NO_REPETITION = { 'x-should-retry': 'false' };

export class OpenAIError extends Error {
  override readonly name = 'OpenAIError';
  constructor(
    readonly status: ContentfulStatusCode,
    readonly type: ErrorType,
    readonly code: string,
    message: string,
    readonly param: string | null = null,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }

  /** @param what completes "<param> …" */
  static invalid(param: string, code: ValueCode, what: string): OpenAIError {
    return new OpenAIError(400, 'invalid_request_error', code, `${param} ${what}`, param);
  }
}

interface Said {
  type: ErrorType;
  code: string;
  headers?: Record<string, string>;
}

const SAID: Partial<Record<AnswerError, Said>> = {
  missing_field: { type: 'invalid_request_error', code: 'missing_required_parameter' },
  unknown_field: { type: 'invalid_request_error', code: 'unknown_parameter' },
  invalid_field: { type: 'invalid_request_error', code: 'invalid_value' },
  unknown_workflow: { type: 'invalid_request_error', code: 'model_not_found' },
  unauthorized: { type: 'invalid_request_error', code: 'invalid_api_key' },
  too_many_requests: { type: 'requests', code: 'rate_limit_exceeded' },
  too_many_unfinished: { type: 'requests', code: 'rate_limit_exceeded' },
  too_many_waiting: { type: 'requests', code: 'rate_limit_exceeded' },
  // Until the day or the month ends: who comes again within a minute is not helped.
  images_used_up: { type: 'insufficient_quota', code: 'insufficient_quota', headers: NO_REPETITION },
  budget_used_up: { type: 'insufficient_quota', code: 'insufficient_quota', headers: NO_REPETITION },
  uploads_used_up: { type: 'insufficient_quota', code: 'insufficient_quota', headers: NO_REPETITION },
};

/** What the parameters of a call are called among the inputs of a template. */
const PARAMS: Record<string, string> = {
  workflow: 'model',
  width: 'size',
  height: 'size',
  batch_size: 'n',
};

/** An error as its clients read it, with its status and headers. */
export interface Answered {
  status: ContentfulStatusCode;
  headers: Record<string, string>;
  body: { error: { message: string; type: ErrorType; param: string | null; code: string } };
}

export function answerOf(error: Error, c: Context<ApiEnv>, log: Log): Answered {
  if (error instanceof OpenAIError) {
    const { status, headers, message, type, param, code } = error;
    return { status, headers, body: { error: { message, type, param, code } } };
  }
  const { status, headers, body } = problemOf(error, c, log);
  const said = SAID[body.code] ?? {
    type: status >= 500 ? ('server_error' as const) : ('invalid_request_error' as const),
    code: body.code,
  };
  const field = body.details?.field;
  const param = field === undefined ? null : Object.hasOwn(PARAMS, field) ? PARAMS[field]! : field;
  return {
    status,
    headers: { ...headers, ...said.headers },
    body: { error: { message: body.error, type: said.type, param, code: said.code } },
  };
}

export function openAIErrors(log: Log) {
  return (error: Error, c: Context<ApiEnv>): Response => {
    const { status, headers, body } = answerOf(error, c, log);
    setHeaders(c, headers);
    return exactJson(c, body, status);
  };
}
