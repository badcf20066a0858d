// Calls of the API. Every failure is an ApiFailure with the API's own sentence and code; a lost connection is waited out where
// the call may be sent twice.

import { addressOf, whenBack } from './connection.ts';
import { forgetKey, key, refused } from './key.ts';
import type { Routes } from './types.ts';

type Route = keyof Routes;

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
  signal?: AbortSignal;
}

/**
 * What the route answers in JSON. GETs, and what carries an Idempotency-Key, are sent again when the connection is back.
 * @throws ApiFailure; DOMException AbortError
 */
export async function call<R extends Route>(route: R, asked: Asked<R> = {}): Promise<Routes[R]['answer']> {
  const response = await send(route, asked);
  return (await response.json()) as Routes[R]['answer'];
}

/** The whole answer, of a status below 400. @throws ApiFailure; DOMException AbortError */
export async function send<R extends Route>(
  route: R,
  { path, query, body, headers = {}, signal }: Asked<R> = {},
): Promise<Response> {
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
  const init = {
    method,
    headers: {
      ...(key.value !== undefined && { Authorization: `Bearer ${key.value}` }),
      ...(!isPlain && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isPlain ? (body as BodyInit) : JSON.stringify(body) }),
    ...(signal && { signal }),
  };
  const mayRepeat = method === 'GET' || 'Idempotency-Key' in headers;
  for (;;) {
    let response: Response;
    try {
      response = await fetch(address, init);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      const back = whenBack();
      if (!mayRepeat) throw new ApiFailure('The API does not answer', { status: 0, code: 'no_answer' });
      await back;
      signal?.throwIfAborted();
      continue;
    }
    if (response.ok) return response;
    throw await failureOf(response);
  }
}

async function failureOf(response: Response): Promise<ApiFailure> {
  const { status } = response;
  // What is no JSON comes of something between.
  const said = (await response.json().catch(() => ({}))) as {
    error?: string;
    code?: string;
    details?: { field?: string };
  };
  if (status === 401) {
    forgetKey();
    refused.value = true;
  }
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiFailure(said.error ?? `The answer was ${status}`, {
    status,
    code: said.code ?? 'no_code',
    field: said.details?.field,
    retryAfter: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  });
}
