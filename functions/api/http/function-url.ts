// A Lambda Function URL with response streaming, to and fro: its event as a Request, and a Response as its stream.
// Not hono/aws-lambda: an answer that breaks off there ends the whole runtime (its stream is destroyed before the
// runtime waits for it), broken base64 is a 200, and an event that is not HTTP a missing page.
// Source: "Lambda function URLs: request and response payloads" in AWS Lambda's guide.

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { AppError } from '../../core/errors.ts';

/** Of payload format 2.0, what is read. */
interface UrlEvent {
  version?: unknown;
  rawPath: string;
  rawQueryString?: string;
  headers: Record<string, string | undefined>;
  cookies?: string[];
  requestContext?: { domainName?: string; http?: { method: string } };
  body?: string | null;
  isBase64Encoded?: boolean;
}

export interface UrlRequest {
  request: Request;
  /** False: the body was said to be base64 and is not; the request is without it. */
  readable: boolean;
}

/** @param describe for the sentence about an event of another kind. @throws AppError bad_event */
export function requestOf(event: unknown, describe: (event: unknown) => string): UrlRequest {
  const { version, requestContext, ...rest } = (event ?? {}) as UrlEvent;
  if (version !== '2.0' || requestContext?.http === undefined)
    throw new AppError(
      'bad_event',
      `This handler takes requests of a Lambda Function URL in payload format 2.0, not ${describe(event)}; see what invokes it`,
    );
  const { rawPath, rawQueryString, headers, cookies, body, isBase64Encoded } = rest;
  const query = rawQueryString ? `?${rawQueryString}` : '';
  const bytes = isBase64Encoded ? bytesOf(body ?? '') : (body ?? '');
  const { method } = requestContext.http;
  const request = new Request(`https://${requestContext.domainName ?? 'localhost'}${rawPath}${query}`, {
    method,
    headers: headersOf(headers, cookies),
    // An empty body is none. A GET cannot have a body, but a direct caller of the Function URL may send one, which must
    // not end the invocation.
    ...(bytes && bytes.length > 0 && !/^(GET|HEAD)$/i.test(method) && { body: bytes }),
  });
  return { request, readable: bytes !== undefined };
}

/** Node skips what is no base64: only what comes out the same was base64. */
function bytesOf(base64: string): Buffer<ArrayBuffer> | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.toString('base64') === base64 ? bytes : undefined;
}

function headersOf(given: UrlEvent['headers'], cookies: string[] | undefined): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    // An answer that is compressed is unpacked on its way through a Function URL that streams, and now and then breaks
    // there. Source: aws-lambda-nodejs-runtime-interface-client issue 96, opennextjs-aws issue 1127.
    if (name.toLowerCase() === 'accept-encoding') continue;
    // A header has bytes, not characters: what cannot be one is dropped.
    if (value !== undefined)
      headers.set(name, /[^\x20-\xff\t]/.test(value) ? encodeURIComponent(value) : value);
  }
  if (cookies) headers.set('cookie', cookies.join('; '));
  return headers;
}

/**
 * On some accounts a Function URL that streams never ends an answer without a body: its caller hangs until the function's
 * timeout. Proxies remove the byte of a 204, a 304 or an answer to HEAD, since these have no body.
 * Source: aws-lambda-nodejs-runtime-interface-client issue 95, aws-lambda-web-adapter issue 499; OpenNext (pull request
 * 443) writes some bytes too.
 */
const INSTEAD_OF_NOTHING = '\n';

/**
 * Writes at the reader's pace. Throws when the answer breaks off: the runtime then reports it as broken, and goes on.
 * @param out of the runtime; a stream that was destroyed would end the runtime
 */
export async function send(response: Response, out: Writable): Promise<void> {
  const cookies = response.headers.getSetCookie();
  response.headers.delete('set-cookie');
  const stream = awslambda.HttpResponseStream.from(out, {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    ...(cookies.length > 0 && { cookies }),
  });
  // The head goes with the first write.
  stream.write('');
  let isEmpty = true;
  for await (const chunk of response.body ?? []) {
    isEmpty &&= chunk.length === 0;
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
  if (isEmpty) stream.write(INSTEAD_OF_NOTHING);
  stream.end();
}
