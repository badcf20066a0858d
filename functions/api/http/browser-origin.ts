// The origin check of an API that asks for no key: programs of this machine and trusted pages may drive it, not every page
// that a browser here shows. A browser says where a request comes from; other programs say nothing and are let in.
// Source: Fetch Metadata (Sec-Fetch-Site), RFC 6454 (Origin); a foreign name that resolves to this machine is DNS
// rebinding, and shows in Host.

import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { AppError } from '../../core/errors.ts';
import type { ApiEnv, ApiSettings } from '../deps.ts';

/** @param hosts names beside `localhost` and addresses by which it is called. @throws AppError origin_not_allowed */
export function checkOrigin(
  { allowedOrigins, links }: Pick<ApiSettings, 'allowedOrigins' | 'links'>,
  hosts: readonly string[] = [],
): MiddlewareHandler<ApiEnv> {
  const own = typeof links === 'object' ? [new URL(links.origin)] : [];
  const names = new Set([...hosts, ...own.map(({ hostname }) => hostname)].map((name) => name.toLowerCase()));
  const origins = new Set([...allowedOrigins, ...own.map(({ origin }) => origin)]);
  return async (c, next) => {
    const { hostname, host } = new URL(c.req.url);
    refuseForeignName(hostname, names);
    const origin = c.req.header('origin');
    const site = c.req.header('sec-fetch-site');
    // A proxy before us may have ended TLS: only host and port are compared.
    const isOwn = origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
    const isForeign = origin === undefined ? site === 'cross-site' : !isOwn && !origins.has(origin);
    if (isForeign && !origins.has('*'))
      throw new AppError(
        'origin_not_allowed',
        'This API asks for no key, so it answers no page of another origin: name it in ALLOWED_ORIGINS, or set API_KEYS=required',
      );
    await next();
  };
}

/** An address in numbers cannot be made to mean another machine. */
function refuseForeignName(hostname: string, names: ReadonlySet<string>): void {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  const isAddress = isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  if (isAddress || name === 'localhost' || name.endsWith('.localhost') || names.has(name)) return;
  throw new AppError(
    'host_not_allowed',
    'This API asks for no key, so it answers only to names that it knows: set PUBLIC_URL or ALLOWED_HOSTS, or API_KEYS=required',
  );
}
