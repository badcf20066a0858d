// What went wrong, as MCP says it. A tool's refusal is its result, so that the model reads it and may correct its call; anything
// else is an error of JSON-RPC. What it is, is judged where every route's errors are (http/problems.ts).

import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Context } from 'hono';
import { AppError } from '../../core/errors.ts';
import { stringifyJson } from '../../core/json.ts';
import type { Log } from '../../log.ts';
import type { ApiEnv } from '../deps.ts';
import { setHeaders } from '../http/headers.ts';
import { type Problem, problemOf } from '../http/problems.ts';
import type { McpDeps } from './deps.ts';

/** JSON-RPC 2.0's, and the one that its implementers may define. */
export const RPC = {
  parse: -32700,
  request: -32600,
  method: -32601,
  params: -32602,
  internal: -32603,
  other: -32000,
};

/** Before a message is known: its id is not. */
export function mcpErrors(log: Log) {
  return (error: Error, c: Context<ApiEnv>): Response => {
    const problem = problemOf(error, c, log);
    return refused(c, codeOf(problem), problem);
  };
}

export function refused(
  c: Context<ApiEnv>,
  code: number,
  { status, headers, body: { error, ...data } }: Problem,
  id: string | number | null = null,
): Response {
  setHeaders(c, headers);
  return c.json({ jsonrpc: '2.0', id, error: { code, message: error, data } }, status);
}

function codeOf({ status, body }: Problem): number {
  if (body.code === 'invalid_json') return RPC.parse;
  if (body.code === 'bad_request') return RPC.request;
  return status >= 500 ? RPC.internal : RPC.other;
}

/** @returns the refusal as a tool's result */
export function toolError({ log }: McpDeps, c: Context<ApiEnv>, error: unknown): CallToolResult {
  const { body } = problemOf(asError(error), c, log);
  return { content: [{ type: 'text', text: stringifyJson(body) }], isError: true };
}

/** Of a request that is no call of a tool. Never what a bug says: it may name a path. */
export function protocolError({ log, sdk }: McpDeps, c: Context<ApiEnv>, error: unknown): Error {
  if (error instanceof sdk.ProtocolError) return error;
  const { status, body } = problemOf(asError(error), c, log);
  const { error: message, ...data } = body;
  const { InvalidParams, InternalError } = sdk.ProtocolErrorCode;
  return new sdk.ProtocolError(status < 500 ? InvalidParams : InternalError, message, data);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new AppError('internal_error', String(error));
}
