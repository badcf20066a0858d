// One request of the smoke test and its whole answer, as bytes. A request without a whole answer becomes a line; no request
// is repeated, and no redirect is followed.

import { recordOf } from '../../core/json-value.ts';
import { Found, lacking, next } from '../doctor/check.ts';

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string | FormData;
  /** The API key; null: none. Without it, the key of the tested deployment. */
  key?: string | null;
  /** Time limit, ms. */
  limit?: number;
  /** What to do if no answer comes. */
  advice?: string;
  /** Not interrupted by a signal: what the request makes must be known to be removed. */
  finishes?: boolean;
}

export interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** {} if the answer is no JSON object. */
  body: Record<string, unknown>;
}

export type Ask = (path: string, question?: Question) => Promise<Answer>;

/** Long enough for a cold start, short beside CloudFront's time limit of a minute. */
const LIMIT = 10_000;
const ADVICE =
  'npm run deploy, with the release that this program is of; then npm run doctor, and the log of the api';
export interface Patience {
  /** Wall clock, ms: later requests are refused, and those under way then are aborted. */
  until?: number;
  /** ms, for a request without a limit of its own. */
  atMost?: number;
}

/** The time of the whole test is over, which says nothing about this request. */
export class OutOfTime extends Found {}

/** @param stopped aborts requests under way */
export function createAsk(
  url: string,
  ownKey: string | undefined,
  stopped: AbortSignal,
  { until = Infinity, atMost = LIMIT }: Patience = {},
): Ask {
  return async (
    path,
    {
      method = 'GET',
      headers = {},
      body,
      key = ownKey ?? null,
      limit = atMost,
      advice = ADVICE,
      finishes,
    } = {},
  ) => {
    const left = until - Date.now();
    const outOfTime = () =>
      new OutOfTime(
        next(
          `${method} ${withoutQuery(path)}: the time is over`,
          'npm run doctor, then again with more --minutes',
        ),
      );
    if (left <= 0) throw outOfTime();
    // Not AbortSignal.any with AbortSignal.timeout: Node 20 may collect that before it fires (nodejs/node issue 57736).
    const over = new AbortController();
    const stop = () => over.abort(stopped.reason);
    const late = limit < left ? new Late(`no whole answer within ${limit / 1000} s`) : outOfTime();
    const timer = setTimeout(() => over.abort(late), Math.min(limit, left));
    if (!finishes) stopped.addEventListener('abort', stop);
    try {
      stopped.throwIfAborted();
      const response = await fetch(path.startsWith('/') ? url + path : path, {
        method,
        redirect: 'manual',
        headers: { ...(key !== null && { authorization: `Bearer ${key}` }), ...headers },
        signal: over.signal,
        ...(body !== undefined && { body }),
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      return { status: response.status, headers: response.headers, bytes, body: objectOf(bytes) };
    } catch (error) {
      stopped.throwIfAborted();
      if (error instanceof OutOfTime) throw error;
      throw lacking(`${method} ${withoutQuery(path)}: ${reasonOf(error)}`, advice);
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener('abort', stop);
    }
  };
}

class Late extends Error {}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return error instanceof Late ? message : `no whole answer (${cause?.code ?? cause?.message ?? message})`;
}

/** The query of a presigned link is a signature, which no line shows. */
function withoutQuery(path: string): string {
  return path.startsWith('/') ? path : path.replace(/\?.*/, '');
}

export function objectOf(bytes: Buffer): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(bytes.toString()));
  } catch {
    return {};
  }
}

/** An answer's status and error, for a line. */
export function saidBy({ status, headers, body }: Answer): string {
  const cached = headers.has('age') ? ', from a cache on the way' : '';
  return typeof body['error'] === 'string'
    ? `${status}${cached}: ${body['error']}`
    : `${status}${cached}, which is not what this API says`;
}

/** A size in KB or MB, for a line. */
export function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
