// Refuses requests of web pages of other sites to a ComfyUI on this machine, before any route is called. Read in
// in create_origin_only_middleware of server.py, 0.8.0 and 0.33.0.
// Applies only if the Host is a loopback name or address, as in ComfyUI.
import type { IncomingHttpHeaders } from 'node:http';
import type { Dialect } from './dialect.ts';

export function isForeign(headers: IncomingHttpHeaders, { newer }: Dialect): boolean {
  if (newer && headers['sec-fetch-site'] === 'cross-site') return true;
  const { host: asked, origin: said } = headers;
  if (asked === undefined || said === undefined) return false;
  if (!URL.canParse(said) || !URL.canParse(`http://${asked}`)) return false;
  const [host, origin] = [new URL(`http://${asked}`), new URL(said)];
  if (origin.hostname === '' || !isLoopback(host.hostname)) return false;
  // If either has no port, ports are not compared.
  const alike = host.port === '' || origin.port === '' ? 'hostname' : 'host';
  return host[alike] !== origin[alike];
}

/** ComfyUI asks the resolver; this has only the names that need none. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
