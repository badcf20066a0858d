// Who may come in on AWS: what went through CloudFront, which adds the origin secret, and of that whoever has the API
// key. Both are compared in constant time. A browser's preflight carries no key; it is answered by the app's CORS.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { LOCAL } from '../core/access.ts';
import { AppError } from '../core/errors.ts';
import type { ApiApp, ApiEnv } from './deps.ts';
import type { UrlRequest } from './function-url.ts';
import { SAFE_HEADERS } from './headers.ts';

/** CloudFront adds it. */
const ORIGIN_SECRET_HEADER = 'x-origin-secret';

export type FrontDoor = (request: UrlRequest) => Promise<Response>;

export function createFrontDoor(app: ApiApp, originSecret: string): FrontDoor {
  const isOurs = comparedWith(originSecret);
  return async ({ request, readable }) => {
    if (!isOurs(request.headers.get(ORIGIN_SECRET_HEADER)))
      return refusal(403, 'not_through_front_door', "Use the API's public address");
    if (!readable)
      return refusal(400, 'bad_body', 'The body is said to be base64 and is not; send the request again');
    return app.fetch(request);
  };
}

/** `Authorization: Bearer <key>` or `X-API-Key: <key>`, at every address. */
export function askForKey(apiKey: string): MiddlewareHandler<ApiEnv> {
  const isKey = comparedWith(apiKey);
  return async (c, next) => {
    const bearer = /^Bearer +(\S+)\s*$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const given = bearer ?? c.req.header('x-api-key');
    if (!isKey(given)) {
      c.header('WWW-Authenticate', `Bearer realm="comfyui"${given ? ', error="invalid_token"' : ''}`);
      throw new AppError(
        'unauthorized',
        given
          ? 'This API key is not valid'
          : 'Send the API key with the header Authorization: Bearer <key> or X-API-Key: <key>',
      );
    }
    // One key for the whole deployment: its holder is its owner.
    c.set('caller', LOCAL);
    await next();
  };
}

/** As the guide shows errors. */
function refusal(status: number, code: string, error: string): Response {
  return Response.json({ error, code }, { status, headers: SAFE_HEADERS });
}

/** Hashes have one length, so that the time tells nothing. */
function comparedWith(secret: string): (given: string | null | undefined) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const wanted = hash(secret);
  return (given) => timingSafeEqual(hash(given ?? ''), wanted);
}
