// Which requests may enter on AWS: those through CloudFront, which adds the origin secret, or all of them if the
// Function URL is the public address. API keys are checked later, by the app.

import type { AnswerError } from '../../core/errors.ts';
import { comparedWith } from './compare.ts';
import type { ApiApp } from '../deps.ts';
import type { UrlRequest } from './function-url.ts';
import { NOT_KEPT, SAFE_HEADERS } from './headers.ts';
import { ORIGIN_SECRET_HEADER } from './cloudfront-secret.ts';
import { problem } from './problems.ts';

export type OriginCheck = (request: UrlRequest) => Promise<Response>;

/** @param originSecrets two while one replaces the other; none: everybody may come */
export function createOriginCheck(app: ApiApp, originSecrets: readonly string[]): OriginCheck {
  const isOurs = originSecrets.length === 0 ? () => true : comparedWith(...originSecrets);
  return async ({ request, readable }) => {
    if (!isOurs(request.headers.get(ORIGIN_SECRET_HEADER)))
      return refusal('not_through_cloudfront', "Use the API's public address");
    if (!readable)
      return refusal('bad_body', 'The body is said to be base64 and is not; send the request again');
    return app.fetch(request);
  };
}

/** As the guide shows errors. */
function refusal(code: AnswerError, error: string): Response {
  const { status, body } = problem(code, error);
  return Response.json(body, { status, headers: { ...SAFE_HEADERS, ...NOT_KEPT } });
}
