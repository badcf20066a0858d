// The Function URL as CloudFront meets it, with what AWS's documentation and other people's reports say of one that streams:
// docs/facts.md has the sources. What it does to an answer is done here; what to a request, in function-url.ts.

import { type Duplex, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { answerOf, urlEvent } from './function-url.ts';
import type { Runtime } from './runtime-api.ts';

export interface OriginRequest {
  method: string;
  path: string;
  /** Without its question mark. */
  query: string;
  /** Names in small letters. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface OriginAnswer {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Buffer>;
}

export type Origin = (request: OriginRequest) => Promise<OriginAnswer>;

/** The function's own: Lambda ends it then. */
const FUNCTION_TIMEOUT = 60_000;
/** Of an event, with the body in it. */
const EVENT_BYTES = 6 * 1024 * 1024;
/** Of an answer that streams. */
const ANSWER_BYTES = 200 * 1024 * 1024;
const TEXT = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded))/;
/** They would say something of the function's answer that is not so of the URL's. */
const RENAMED = new Set(['content-length', 'connection', 'date', 'server', 'www-authenticate']);
const UNPACK = { gzip: createGunzip, br: createBrotliDecompress, deflate: createInflate };

/** @param hostName the only one that it answers to */
export function functionUrl(api: Runtime, hostName: string): Origin {
  return async ({ method, path, query, headers, body }) => {
    if (headers['host'] !== hostName) return message(403, 'Forbidden');
    const isText = TEXT.test(headers['content-type'] ?? '');
    const recorded = Object.fromEntries(RECORDED.map((name) => [name, undefined]));
    const event = urlEvent({
      method,
      path,
      query,
      headers: { ...recorded, ...headers },
      ...(body.length > 0 && { body: isText ? body.toString() : body }),
    });
    if (JSON.stringify(event).length > EVENT_BYTES)
      return message(413, 'Request must be smaller than 6291456 bytes for the InvokeFunction operation');
    const invoked = await api.invoke(event, FUNCTION_TIMEOUT);
    if (invoked.kind !== 'stream') return message(502, 'Internal Server Error');
    const answer = await answerOf(invoked);
    return passedOn({ ...answer, body: brokenOff(answer) });
  };
}

/** Of the recorded events: what a caller sends, and CloudFront adds. */
const RECORDED = [
  'x-origin-secret',
  'via',
  'x-amz-cf-id',
  'x-api-key',
  'accept',
  'accept-encoding',
  'content-type',
  'content-length',
];

/** An answer is JSON of its own where the function is not asked, or has failed. */
function message(status: number, Message: string): OriginAnswer {
  const body = Readable.from([Buffer.from(JSON.stringify({ Message }))]);
  return { status, headers: { 'content-type': 'application/json' }, body };
}

/** A function that fails on the way says so behind its answer: the connection is cut. */
async function* brokenOff({ body, trailers }: Awaited<ReturnType<typeof answerOf>>): AsyncGenerator<Buffer> {
  yield* body;
  const failed = trailers()['lambda-runtime-function-error-type'];
  if (failed !== undefined) throw new Error(`the function failed: ${failed}`);
}

function passedOn({ status, headers, body }: OriginAnswer): OriginAnswer {
  const coding = headers['content-encoding'] as keyof typeof UNPACK | undefined;
  const ending = neverOfNothing(limited(body));
  const kept = Object.entries(headers).filter(([name]) => name !== 'content-encoding');
  return {
    status,
    headers: Object.fromEntries(
      kept.map(([name, value]) => [RENAMED.has(name) ? `x-amzn-remapped-${name}` : name, value]),
    ),
    body: coding && UNPACK[coding] ? unpack(ending, UNPACK[coding]()) : ending,
  };
}

function unpack(body: AsyncIterable<Buffer>, through: Duplex): AsyncIterable<Buffer> {
  const source = Readable.from(body);
  source.on('error', (error) => through.destroy(error));
  return source.pipe(through) as AsyncIterable<Buffer>;
}

async function* limited(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > ANSWER_BYTES) throw new Error('the answer is too large for a Function URL');
    yield chunk;
  }
}

/** The last chunk, which is the end, does not come where nothing came before it. */
async function* neverOfNothing(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let something = false;
  for await (const chunk of body) {
    something ||= chunk.length > 0;
    yield chunk;
  }
  if (!something) await new Promise<never>(() => undefined);
}
