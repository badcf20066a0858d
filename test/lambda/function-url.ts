// A Function URL with response streaming: a request becomes an event of payload format 2.0, and what the function
// streams becomes an answer. Source: "Creating and managing Lambda function URLs" and "Response streaming" in AWS
// Lambda's guide.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Runtime } from './runtime-api.ts';

export interface UrlRequest {
  method?: string;
  path: string;
  query?: string;
  /** Over those that were recorded; undefined takes one away. */
  headers?: Record<string, string | undefined>;
  body?: string | Buffer;
}

export interface HttpEvent {
  headers: Record<string, string>;
  requestContext: { http: Record<string, string> };
  [field: string]: unknown;
}

export interface UrlAnswer {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Buffer>;
  trailers(): NodeJS.Dict<string>;
}

/** As it was recorded. */
export function recorded(name: string): unknown {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'events', `${name}.json`), 'utf8'));
}

export function urlEvent({ method = 'GET', path, query = '', headers = {}, body }: UrlRequest): HttpEvent {
  const event = recorded(body === undefined ? 'function-url-get' : 'function-url-post') as HttpEvent;
  const all = Object.entries({ ...event.headers, ...headers });
  const http = { ...event.requestContext.http, method, path };
  const binary = Buffer.isBuffer(body);
  return {
    ...event,
    rawPath: path,
    rawQueryString: query,
    headers: Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined)),
    requestContext: { ...event.requestContext, http },
    ...(body !== undefined && { body: binary ? body.toString('base64') : body, isBase64Encoded: binary }),
  };
}

const PRELUDE = 'application/vnd.awslambda.http-integration-response';
const DELIMITER = Buffer.alloc(8);

/** @throws unless the function streams an HTTP answer */
export async function answerOf(answer: Answer): Promise<UrlAnswer> {
  if (answer.kind !== 'stream' || answer.contentType !== PRELUDE)
    throw new Error(
      `No HTTP answer: ${JSON.stringify(answer.kind === 'stream' ? answer.contentType : answer)}`,
    );
  const chunks = answer.body[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let end = -1;
  while (end < 0) {
    const { value, done } = await chunks.next();
    if (done) throw new Error(`The answer ended within its head: ${head.toString()}`);
    head = Buffer.concat([head, value]);
    end = head.indexOf(DELIMITER);
  }
  const { statusCode, headers } = JSON.parse(head.subarray(0, end).toString()) as {
    statusCode: number;
    headers: Record<string, string>;
  };
  async function* body(): AsyncGenerator<Buffer> {
    const rest = head.subarray(end + DELIMITER.length);
    if (rest.length > 0) yield rest;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  }
  return { status: statusCode, headers, body: body(), trailers: answer.trailers };
}

export async function call(runtime: Runtime, request: UrlRequest): Promise<UrlAnswer> {
  return answerOf(await runtime.invoke(urlEvent(request)));
}

/** Read to its end. */
export async function callJson(
  runtime: Runtime,
  request: UrlRequest,
): Promise<{ status: number; headers: Record<string, string>; body: Record<string, unknown> }> {
  const { body, ...head } = await call(runtime, request);
  const bytes = await bytesOf(body);
  return { ...head, body: JSON.parse(bytes.toString().trim() || '{}') as Record<string, unknown> };
}

export async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
