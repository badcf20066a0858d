// Reading requests: what is no JSON object, too large or of another type is refused before anything else looks at it.

import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { AppError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import type { ApiEnv } from '../deps.ts';

/**
 * Refuses by the announced length where there is one. Some clients (Python's urllib) write their whole body before they
 * read: they would see a broken connection and never the reason, so what comes is read on for a while first. A body
 * without a length that was begun and not read to its end costs the connection.
 */
export function limitBody(maxSize: number, tooLarge: () => never): MiddlewareHandler<ApiEnv> {
  const counting = bodyLimit({ maxSize, onError: tooLarge });
  return (c, next) => {
    const length = c.req.header('content-length');
    // The server gives us none of their bodies, and looking for one costs every request.
    const bodiless = c.req.method === 'GET' || c.req.method === 'HEAD';
    if (bodiless && length === undefined) return next();
    if (length === undefined || c.req.header('transfer-encoding') !== undefined) return counting(c, next);
    if (Number(length) <= maxSize) return next();
    return readOn(c.req.raw).then(tooLarge);
  };
}

const READ_ON = { bytes: 64 * 1024 * 1024, ms: 10_000, idleMs: 250 };

/** Until its end, or until nothing comes: then the client waits for the answer. */
async function readOn({ body }: Request): Promise<void> {
  const reader = body?.getReader();
  if (!reader) return;
  const since = Date.now();
  for (let bytes = 0; bytes < READ_ON.bytes && Date.now() - since < READ_ON.ms;) {
    const next = await within(READ_ON.idleMs, reader.read()).catch(() => undefined);
    if (!next || next.done) return;
    bytes += next.value.length;
  }
}

/** Undefined: it took longer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export async function jsonObject(c: Context<ApiEnv>): Promise<Record<string, unknown>> {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new AppError('unsupported_media_type', 'Send JSON with the header Content-Type: application/json');
  let body: unknown;
  try {
    body = parseJson(await c.req.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError(
      'invalid_json',
      'The body must be a JSON object, such as {"prompt": "a red fox"}; it is not JSON',
    );
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('invalid_json', 'The body must be a JSON object, such as {"prompt": "a red fox"}');
  return body as Record<string, unknown>;
}
