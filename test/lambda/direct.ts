// The Function URL as callers reach it where nothing stands before it (`endpoint: function-url`): a server for its name,
// over HTTP/1.1 in chunks. Without TLS.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { listenOn } from '../support/listen-on.ts';
import { BODILESS, HOPS } from './cloudfront.ts';
import type { Origin } from './origin.ts';

export interface Direct {
  url: string;
  close(): Promise<void>;
}

/** @param hostName the origin's: what its address resolves to here has another */
export async function serve(origin: Origin, hostName: string): Promise<Direct> {
  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path, query = ''] = (req.url ?? '/').split('?') as [string, string?];
    const method = req.method ?? 'GET';
    const given = Object.entries(req.headers).filter(([name]) => !HOPS.includes(name));
    const headers = {
      ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
      host: hostName,
    };
    const answer = await origin({ method, path, query, headers, body: await buffer(req) });
    res.writeHead(answer.status, answer.headers);
    if (method !== 'HEAD' && !BODILESS.has(answer.status)) return pipeline(answer.body, res);
    // Their end comes when the function's answer has ended.
    for await (const _ of answer.body);
    res.end();
  }

  const server = createServer((req, res) => {
    pass(req, res).catch(() => {
      if (res.headersSent) res.destroy();
      else res.writeHead(502).end();
    });
  });
  const url = await listenOn(server);
  return {
    url: url.replace('127.0.0.1', 'localhost'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
