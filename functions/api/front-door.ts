// What may come in on AWS: only what went through CloudFront, which adds the origin secret. Whoever then has a key is
// the app's to ask.

import { comparedWith } from './compare.ts';
import type { ApiApp } from './deps.ts';
import type { UrlRequest } from './function-url.ts';
import { NOT_KEPT, SAFE_HEADERS } from './headers.ts';

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

/** As the guide shows errors. */
function refusal(status: number, code: string, error: string): Response {
  return Response.json({ error, code }, { status, headers: { ...SAFE_HEADERS, ...NOT_KEPT } });
}
