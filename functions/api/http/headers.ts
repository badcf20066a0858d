// What every answer says to browsers, and what is refused before anything reads a body. A route that has something of
// its own to say (the docs page its CSP) says it, and is not overruled.

import type { Context, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { AppError } from '../../core/errors.ts';
import { MAX_BODY_BYTES } from '../../core/limits.ts';
import { limitBody } from './body.ts';
import type { ApiEnv, ApiSettings } from '../deps.ts';
import { PREFLIGHT } from './preflight.ts';
import { addressesOf, type Mounted, patternOf } from './route.ts';

/** An answer is never a page: not even one that has a person's words in it can load, run or frame anything. */
export const SAFE_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
};

/**
 * Of what was refused or failed: the next answer may be another, and so may the next caller. What lies between, CloudFront
 * above all, would keep it for a while and ask for no key.
 */
export const NOT_KEPT = { 'Cache-Control': 'no-store' };

/** A year. Not for subdomains, which may belong to others. */
const HSTS = { 'Strict-Transport-Security': 'max-age=31536000' };

/** A request id that came in is taken when it is plain (letters, digits, -, _ and =) and no longer than this. */
export const MAX_REQUEST_ID = 64;

export function setHeaders(c: Context<ApiEnv>, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
}

/**
 * Set before the route runs, which may overrule them: setting a header of a finished answer makes a real Response of it, and
 * that costs more than all other middleware.
 */
export function safeHeaders({ hsts }: Pick<ApiSettings, 'hsts'>): MiddlewareHandler<ApiEnv> {
  const headers = { ...SAFE_HEADERS, ...(hsts && HSTS) };
  return (c, next) => {
    setHeaders(c, headers);
    return next();
  };
}

const EXPOSED = [
  'X-Request-Id',
  'X-Workflow',
  'X-Job-Id',
  'X-Unused-Parameters',
  'Retry-After',
  'Idempotency-Replayed',
  'RateLimit',
  'RateLimit-Policy',
  'WWW-Authenticate',
  'Content-Disposition',
  'Content-Range',
  'ETag',
].join();

export function crossOrigin({ allowedOrigins }: Pick<ApiSettings, 'allowedOrigins'>): MiddlewareHandler {
  const any = allowedOrigins.includes('*');
  const preflight = cors({
    origin: any ? '*' : allowedOrigins,
    allowMethods: PREFLIGHT.methods,
    allowHeaders: PREFLIGHT.headers,
    maxAge: PREFLIGHT.maxAge,
  });
  return (c, next) => {
    if (c.req.method === 'OPTIONS') return preflight(c, next);
    const origin = any ? '*' : c.req.header('origin');
    if (origin !== undefined && (any || allowedOrigins.includes(origin)))
      c.header('Access-Control-Allow-Origin', origin);
    c.header('Access-Control-Expose-Headers', EXPOSED);
    if (!any) c.header('Vary', 'Origin', { append: true });
    return next();
  };
}

/** Nothing is inflated: a few kilobytes may be gigabytes. @throws AppError unsupported_media_type */
export function refuseCoding(c: Context<ApiEnv>): void {
  const coding = c.req.header('content-encoding')?.trim().toLowerCase();
  if (coding === undefined || coding === 'identity') return;
  c.header('Accept-Encoding', 'identity');
  throw new AppError(
    'unsupported_media_type',
    'Send the body as it is, uncompressed and without the header Content-Encoding',
  );
}

export function refuseLonger(): never {
  throw new AppError('body_too_large', `The body may have at most ${MAX_BODY_BYTES / 1024} KB`);
}

/** At every address, also those that there are not; some routes have a limit of their own. */
export function limitBodies(
  routes: readonly Pick<Mounted, 'route' | 'alsoAtRoot' | 'body'>[],
): MiddlewareHandler<ApiEnv> {
  const own = routes.flatMap((route) => (route.body?.limit ? addressesOf(route) : [])).map(patternOf);
  const limited = limitBody(MAX_BODY_BYTES, refuseLonger);
  return (c, next) => {
    refuseCoding(c);
    const address = `${c.req.method} ${c.req.path}`;
    return own.some((one) => one.test(address)) ? next() : limited(c, next);
  };
}
