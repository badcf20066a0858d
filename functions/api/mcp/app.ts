// The Model Context Protocol as a façade over the same jobs: streamable HTTP of the revision 2026-07-28, which has no sessions, and
// of 2025-11-25 and before for clients that begin with `initialize`. Source: https://modelcontextprotocol.io/specification and
// docs/mcp.md. Loaded at the first request.

import type { Context, MiddlewareHandler } from 'hono';
import { AppError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { MAX_BODY_BYTES } from '../../core/limits.ts';
import type { ApiApp, ApiEnv } from '../deps.ts';
import { createFacade } from '../facade/app.ts';
import { problem } from '../http/problems.ts';
import type { McpDeps } from './deps.ts';
import { mcpErrors, refused, RPC } from './errors.ts';
import { createServer } from './server.ts';
import { MAX_UPLOAD_TEXT, refuseLargeUpload } from './upload.ts';

/** @param entry who may come in, and as whom */
export function createMcp(deps: McpDeps, entry: readonly MiddlewareHandler<ApiEnv>[]): ApiApp {
  return createFacade({
    deps,
    entry,
    routes: [
      {
        route: 'POST /mcp',
        body: { limit: { bytes: MAX_UPLOAD_TEXT + MAX_BODY_BYTES, tooLarge: refuseLargeUpload } },
        handle: (c) => answer(deps, c),
      },
    ],
    errors: mcpErrors(deps.log),
  });
}

async function answer(deps: McpDeps, c: Context<ApiEnv>): Promise<Response> {
  const message = await messageOf(c);
  // It would be held for nothing.
  if (methodOf(message) === 'subscriptions/listen' && idOf(message) !== null)
    return refused(
      c,
      RPC.method,
      problem(
        'route_not_found',
        'This server sends no notifications of its own: ask again in place of listening',
      ),
      idOf(message),
    );
  // The package (2.4.0) calls it an internal error; the newer revision has no such method.
  const { isInitializeRequest, isLegacyRequest } = deps.sdk;
  if (
    methodOf(message) === 'initialize' &&
    !isInitializeRequest(message) &&
    (await isLegacyRequest(c.req.raw, message))
  )
    return refused(
      c,
      RPC.params,
      problem(
        'bad_request',
        'initialize takes protocolVersion, capabilities, and clientInfo with name and version',
      ),
      idOf(message),
    );
  const handler = deps.sdk.createMcpHandler(() => createServer(deps, c), { legacy: 'stateless' });
  const response = await handler.fetch(c.req.raw, { parsedBody: message });
  return c.newResponse(response.body, response);
}

/** @throws AppError invalid_json, bad_request */
async function messageOf(c: Context<ApiEnv>): Promise<unknown> {
  let message: unknown;
  try {
    message = parseJson(await c.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError('invalid_json', 'The body must be one JSON-RPC message; it is not JSON');
  }
  // Of the revision 2025-03-26 alone. Hundreds of calls in one would be one request to every limit.
  if (Array.isArray(message))
    throw new AppError('bad_request', 'Send one JSON-RPC message for each POST, not a batch');
  return message;
}

const methodOf = (message: unknown): unknown => (message as { method?: unknown } | null)?.method;

/** null: it has none that is one. */
function idOf(message: unknown): string | number | null {
  const id = (message as { id?: unknown } | null)?.id;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
