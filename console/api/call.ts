// Calls of the API. Every failure is an ApiFailure with the API's own sentence and code; a lost connection and a limit are waited
// out where the call may be sent twice.

import { t } from '../text/index.ts';
import { hearTime } from './clock.ts';
import { addressOf, heard, lose, whenBack } from './connection.ts';
import { forgetKey, key, signalOfKey } from './key.ts';
import { waitOf, waitOut } from './limited.ts';
import type { Routes } from './types.ts';

type Route = keyof Routes;

/** No answer came whole, or one that is not the API's. */
const NO_ANSWER = 'no_answer';
/** Said by proxies where the API is not behind them. */
const OF_BETWEEN = [502, 503, 504];

export class ApiFailure extends Error {
  /** Of HTTP; 0: no answer came. */
  readonly status: number;
  readonly code: string;
  /** The field of the request that is wrong, where it is one. */
  readonly field: string | undefined;
  /** After how many ms another try may help. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    of: { status: number; code: string; field?: string | undefined; retryAfter?: number | undefined },
  ) {
    super(message);
    this.status = of.status;
    this.code = of.code;
    this.field = of.field;
    this.retryAfter = of.retryAfter;
  }
}

interface Asked<R extends Route> {
  path?: Routes[R]['path'];
  query?: { [Name in keyof Routes[R]['query']]: Routes[R]['query'][Name] | undefined };
  /** Sent as JSON, or as it is where it is a form or a file. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Sent twice it does no more than once. */
  mayRepeat?: boolean;
  /** One that is not in use yet. */
  key?: string;
  signal?: AbortSignal;
}

/** What the route answers in JSON. @throws ApiFailure; DOMException AbortError */
export const call = <R extends Route>(route: R, asked: Asked<R> = {}): Promise<Routes[R]['answer']> =>
  receive(route, asked, (response) => response.json() as Promise<Routes[R]['answer']>);

/** An answer whose body is still to come: a stream. @throws ApiFailure; DOMException AbortError */
export const send = <R extends Route>(route: R, asked: Asked<R> = {}): Promise<Response> =>
  receive(route, asked, (response) => Promise.resolve(response));

/**
 * The answer, of a status below 400, as `read` takes its body. GETs, what carries an Idempotency-Key, and what says so are sent again: when the
 * connection is back, also where an answer was cut or came of something between, and when the API asks to wait a moment.
 * @throws ApiFailure; DOMException AbortError when it is not wanted any more, also since there is another key
 */
export async function receive<R extends Route, T>(
  route: R,
  asked: Asked<R>,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const { headers = {}, signal: wanted } = asked;
  const signal = wanted ? AbortSignal.any([wanted, signalOfKey()]) : signalOfKey();
  const request = requestOf(route, asked);
  const mayRepeat = asked.mayRepeat ?? (request.method === 'GET' || 'Idempotency-Key' in headers);
  const times = { lost: 0, limited: 0 };
  for (;;) {
    const found = await answerOf(request, read, signal, asked.key !== undefined);
    signal.throwIfAborted();
    if (!(found instanceof ApiFailure)) return found;
    const wait = waitOf(found, times.limited);
    if (found.code === NO_ANSWER) {
      if (!mayRepeat) void lose();
      else {
        await whenBack(signal, times.lost);
        times.lost += 1;
        continue;
      }
    } else if (wait !== undefined && mayRepeat) {
      await waitOut(wait, signal);
      times.limited += 1;
      continue;
    }
    throw found;
  }
}

function requestOf<R extends Route>(
  route: R,
  { path, query, body, headers, key: other }: Asked<R>,
): RequestInit & { method: string; address: URL } {
  const [method, template] = route.split(' ') as [string, string];
  const parts: Record<string, unknown> = path ?? {};
  const address = new URL(
    addressOf(
      template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts[name]))),
    ),
  );
  const wanted: [string, string | number | undefined][] = Object.entries(query ?? {});
  for (const [name, value] of wanted) if (value !== undefined) address.searchParams.set(name, String(value));
  const isPlain = body === undefined || body instanceof FormData || body instanceof Blob;
  const sent = other ?? key.value;
  return {
    address,
    method,
    headers: {
      ...(sent !== undefined && { Authorization: `Bearer ${sent}` }),
      ...(!isPlain && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isPlain ? (body as BodyInit) : JSON.stringify(body) }),
  };
}

/** @param isTried the key is not in use: that it is refused says nothing of the one that is */
async function answerOf<T>(
  { address, ...init }: RequestInit & { address: URL },
  read: (response: Response) => Promise<T>,
  signal: AbortSignal,
  isTried: boolean,
): Promise<T | ApiFailure> {
  try {
    const response = await fetch(address, { ...init, signal });
    if (!response.ok) return await failureOf(response, isTried);
    // What the browser kept has the time at which it was kept.
    if (!response.headers.get('Cache-Control')?.includes('max-age')) hearTime(response.headers.get('Date'));
    const found = await read(response);
    heard();
    return found;
  } catch {
    return noAnswer();
  }
}

const noAnswer = () => new ApiFailure(t().noAnswer, { status: 0, code: NO_ANSWER });

async function failureOf(response: Response, isTried: boolean): Promise<ApiFailure> {
  const { status } = response;
  // What is no JSON comes of something between.
  const said = (await response.json().catch(() => ({}))) as {
    error?: string;
    code?: string;
    details?: { field?: string };
  };
  if (said.code === undefined && OF_BETWEEN.includes(status)) return noAnswer();
  heard();
  if (status === 401 && !isTried) forgetKey();
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiFailure(said.error ?? t().oddAnswer(status), {
    status,
    code: said.code ?? 'no_code',
    field: said.details?.field,
    retryAfter: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}
