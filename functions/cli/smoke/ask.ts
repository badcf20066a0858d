// One request of the smoke test and its whole answer, as bytes. What is not answered, or breaks off, is a line that says
// so; nothing is asked twice, and redirects are not followed.

import { Found, lacking, next } from '../doctor/check.ts';

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string | FormData;
  /** Who asks; null: nobody. Else the one whose deployment is tested. */
  key?: string | null;
  /** ms. */
  limit?: number;
  /** What to do where it is not answered. */
  advice?: string;
  /** Also when a signal came: what it makes must be known to be removed. */
  finishes?: boolean;
}

export interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** {} for what is no JSON object. */
  body: Record<string, unknown>;
}

export type Ask = (path: string, question?: Question) => Promise<Answer>;

/** Long for a cold start, short beside the minute after which CloudFront gives up. */
const LIMIT = 10_000;
const ADVICE =
  'npm run deploy, with the release that this program is of; then npm run doctor, and the log of the api';
export interface Patience {
  /** Wall clock, ms: nothing is asked later, and what is under way then is given up. */
  until?: number;
  /** ms, where a question says nothing else. */
  atMost?: number;
}

/** The time of all is over, which says nothing of the question. */
export class OutOfTime extends Found {}

/** @param stopped ends what is under way */
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
    // Not AbortSignal.any with AbortSignal.timeout: Node 20 may collect that before it is over (nodejs/node issue 57736).
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

/** A link's query is a signature. */
function withoutQuery(path: string): string {
  return path.startsWith('/') ? path : path.replace(/\?.*/, '');
}

export function objectOf(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What an answer says for itself, for a line. */
export function saidBy({ status, headers, body }: Answer): string {
  const cached = headers.has('age') ? ', from a cache on the way' : '';
  return typeof body['error'] === 'string'
    ? `${status}${cached}: ${body['error']}`
    : `${status}${cached}, which is not what this API says`;
}

/** For a line. */
export function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
