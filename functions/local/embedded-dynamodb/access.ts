// The embedded tables listen on loopback, which every user of the machine can reach, and every page in a browser here.
// Only requests with the token of this start are served, and none from a browser.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server } from 'node:http';

/** Serves requests whose credential has the token as access key id, as the store's client sends it; 403 for others. */
export function onlyWith(token: string, server: Server): Server {
  const wanted = hashOf(token);
  const serve = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (isOurs(request, wanted)) {
      for (const listener of serve) listener(request, response);
      return;
    }
    request.resume();
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: 'This table belongs to another process' }));
  });
  return server;
}

function isOurs({ headers }: IncomingMessage, wanted: Buffer): boolean {
  const given = /Credential=([^/,\s]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';
  return (
    timingSafeEqual(hashOf(given), wanted) &&
    headers.origin === undefined &&
    /^127\.0\.0\.1(:\d+)?$/.test(headers.host ?? '')
  );
}

const hashOf = (text: string) => createHash('sha256').update(text).digest();
