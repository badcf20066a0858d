// Errors as HTTP: the guide's `{"error": "<sentence>"}`, with `code` for machines. Never a stack trace or a path.

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { withoutSecrets } from '../../core/secrets.ts';
import { StorageFull } from '../../core/disk-full.ts';
import { type AnswerError, AppError, type ErrorDetails, isOfAnswer, STATUS } from '../../core/errors.ts';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';
import { NOT_KEPT, setHeaders } from './headers.ts';

/** What a refused request is answered with beside the status: a limit says where a caller stands. */
export class Refusal extends AppError {
  constructor(
    code: AnswerError,
    message: string,
    details: ErrorDetails,
    readonly headers: Record<string, string>,
  ) {
    super(code, message, details);
  }
}

/** Seconds. */
const RETRY_AFTER: Partial<Record<AnswerError, string>> = {
  too_many_waiting: '5',
  too_many_readers: '5',
  too_many_conversions: '5',
  disk_full: '10',
  unavailable: '2',
};

/** What a request is answered with that was refused or failed. */
export interface Problem {
  status: ContentfulStatusCode;
  headers: Record<string, string>;
  body: { error: string; code: AnswerError; details?: ErrorDetails };
}

export function problem(code: AnswerError, error: string, details?: ErrorDetails): Problem {
  const after = RETRY_AFTER[code];
  return {
    status: STATUS[code],
    headers: { ...NOT_KEPT, ...(after !== undefined && { 'Retry-After': after }) },
    body: { error, code, ...(details && { details }) },
  };
}

export function problems(log: Log) {
  return (error: Error, c: Context<ApiEnv>): Response => {
    const { status, headers, body } = problemOf(error, c, log);
    setHeaders(c, headers);
    return c.json(body, status);
  };
}

/** What the caller did not cause is logged. */
export function problemOf(error: Error, c: Context<ApiEnv>, log: Log): Problem {
  const requestId = c.get('requestId');
  const where = { requestId, path: withoutSecrets(c.req.path) };
  if (error instanceof AppError && isOfAnswer(error.code)) {
    const said = problem(error.code, error.message, error.details);
    if (error instanceof Refusal) Object.assign(said.headers, error.headers);
    return said;
  }
  if (error instanceof HTTPException) {
    const code = error.status === STATUS.body_too_large ? 'body_too_large' : 'bad_request';
    return { ...problem(code, error.message || 'The request cannot be read'), status: error.status };
  }
  if (isBrokenOff(error, c)) {
    log.debug('request.aborted', where);
    return problem('bad_request', 'The request broke off');
  }
  if (isStorageFull(error)) {
    log.warn('disk.filled', where);
    return problem(
      'disk_full',
      'The disk is full; what is deleted makes room: DELETE /api/upload/image/<name>, DELETE /api/history/<job_id>',
    );
  }
  if (isUnanswered(error)) {
    log.error('store.unavailable', error, where);
    return problem('unavailable', 'The job table or the image bucket does not answer; try again');
  }
  log.error('request.failed', error, where);
  return problem('internal_error', `Internal error; request ${requestId}`);
}

/** The tables or the images of this machine have surely not written it. */
export function isStorageFull(error: unknown): boolean {
  return error instanceof StorageFull;
}

/** Returns whether the client broke off: the body will not come, and the answer is not read. */
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
