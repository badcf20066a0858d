// Who a webhook is sent to: a server that keeps what it got, and answers as a test wants.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Got {
  headers: IncomingHttpHeaders;
  path: string;
  body: string;
  at: number;
}

export type Answering = (got: Got, res: ServerResponse, nth: number) => void;

export interface Receiver {
  url: string;
  port: number;
  got: Got[];
  /** Connections that were made, whatever came over them. */
  connections(): number;
  /** The most requests that were open at the same time. */
  most(): number;
  answer(how: Answering): void;
  /** Resolves when so many have come. */
  until(count: number): Promise<Got[]>;
  close(): Promise<void>;
}

export const answers =
  (status: number, headers: Record<string, string> = {}): Answering =>
  (_got, res) =>
    void res.writeHead(status, headers).end();

export async function startReceiver(tls?: { key: string; cert: string }): Promise<Receiver> {
  const got: Got[] = [];
  let how: Answering = answers(200);
  let connections = 0;
  let open = 0;
  let most = 0;
  let changed: () => void = () => undefined;

  const handle = (req: IncomingMessage, res: ServerResponse) => {
    open += 1;
    most = Math.max(most, open);
    res.once('close', () => {
      open -= 1;
    });
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (chunk: string) => {
      body += chunk;
    });
    req.once('end', () => {
      const one = { headers: req.headers, path: req.url ?? '', body, at: Date.now() };
      got.push(one);
      how(one, res, got.length);
      changed();
    });
  };
  const server = tls ? createTlsServer(tls, handle) : createServer(handle);
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    got,
    connections: () => connections,
    most: () => most,
    answer: (other) => {
      how = other;
    },
    async until(count) {
      while (got.length < count)
        await new Promise<void>((resolve) => {
          changed = resolve;
        });
      return got;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
