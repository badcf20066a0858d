// CloudFront and the Function URL in one small server: requests become events, with the origin secret that CloudFront
// adds. It also adds the API key, which the guide's clients, as they are written, do not send.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { answerOf, urlEvent } from './function-url.ts';
import type { Runtime } from './runtime-api.ts';

/** CloudFront passes on all but these: `host` is the function's own. */
const OWN = new Set(['host', 'connection', 'transfer-encoding']);

export async function startFrontDoor(
  api: Runtime,
  port: number,
): Promise<{ url: string; close(): Promise<void> }> {
  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path, query = ''] = (req.url ?? '/').split('?') as [string, string?];
    const given = Object.entries(req.headers).filter(([name]) => !OWN.has(name));
    const body = await buffer(req);
    const text = (req.headers['content-type'] ?? '').startsWith('application/json');
    const event = urlEvent({
      method: req.method ?? 'GET',
      path,
      query,
      headers: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
      ...(body.length > 0 && { body: text ? body.toString() : body }),
    });
    const answer = await answerOf(await api.invoke(event));
    res.writeHead(answer.status, answer.headers);
    await pipeline(answer.body, res);
  }

  const server = createServer((req, res) => {
    pass(req, res).catch((error: unknown) => {
      if (!res.headersSent) res.writeHead(502);
      res.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
