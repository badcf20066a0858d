// HTTP between two processes, through this one: whole requests and whole answers, headers as they came (signatures
// cover them), and a place in between where things go wrong. Loopback only.

import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  body: Buffer;
}

export interface Proxy {
  port: number;
  close(): Promise<void>;
}

export async function listenProxy(handle: (exchange: Exchange) => Promise<void>): Promise<Proxy> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    res.on('error', () => res.destroy());
    read(req)
      .then((body) => handle({ req, res, body }))
      // Who asked, or who was asked, is gone: so is the connection.
      .catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** Rejects when there is no whole answer. */
export function forward(
  port: number,
  { req, body }: Pick<Exchange, 'req' | 'body'>,
  path = req.url ?? '/',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { connection: _, 'transfer-encoding': __, expect: ___, ...headers } = req.headers;
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: req.method,
        agent,
        headers: { ...headers, ...(body.length > 0 && { 'content-length': body.length }) },
      },
      (response) => {
        read(response).then(
          (whole) => resolve({ status: response.statusCode ?? 502, headers: response.headers, body: whole }),
          reject,
        );
      },
    );
    asked.setTimeout(15_000, () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end(body);
  });
}

export function give(res: ServerResponse, { status, headers, body }: Answer): void {
  if (res.destroyed) return;
  const { connection: _, 'transfer-encoding': __, 'keep-alive': ___, ...rest } = headers;
  res.writeHead(status, rest);
  res.end(body);
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
