// Errors as ComfyUI answers a refused prompt: `{"error": {"type", "message", "details", "extra_info"}, "node_errors"}`. What went
// wrong is judged in one place for all APIs (http/problems.ts); its code is the `type`.

import type { Context } from 'hono';
import type { NodeErrors, Reason } from '../../core/preflight/preflight.ts';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';
import { exactJson } from '../http/exact-json.ts';
import { NOT_KEPT, setHeaders } from '../http/headers.ts';
import { problemOf } from '../http/problems.ts';

/** A request that is refused, a prompt above all, for a reason in ComfyUI's own words where it has some. */
export class PromptRefused extends Error {
  override readonly name = 'PromptRefused';
  constructor(
    readonly reason: Reason,
    readonly nodeErrors: NodeErrors = {},
    readonly status: 400 | 409 | 501 | 503 = 400,
  ) {
    super(reason.message);
  }
}

export function refusedFor(
  type: string,
  message: string,
  details = '',
  status?: PromptRefused['status'],
): PromptRefused {
  return new PromptRefused({ type, message, details, extra_info: {} }, {}, status);
}

export function wireErrors(log: Log) {
  return (error: Error, c: Context<ApiEnv>): Response => {
    if (error instanceof PromptRefused) {
      setHeaders(c, NOT_KEPT);
      return exactJson(c, { error: error.reason, node_errors: error.nodeErrors }, error.status);
    }
    const { status, headers, body } = problemOf(error, c, log);
    setHeaders(c, headers);
    const reason: Reason = {
      type: body.code,
      message: body.error,
      details: '',
      extra_info: { ...body.details },
    };
    return exactJson(c, { error: reason, node_errors: {} }, status);
  };
}
