// What stands between a client and a server, and may answer in its place.

import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { listenOn } from './listen-on.ts';

export interface Proxy {
  url: string;
  /**
   * Asked at every request. False: it is passed on; `body` is what was sent. What it answers itself, it answers.
   */
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean;
  close(): Promise<void>;
}

/** @param target of the server, without a slash at its end */
export async function startProxy(target: string): Promise<Proxy> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      if (proxy.answer(request, response, body)) return;
      const onward = httpRequest(
        target + (request.url ?? '/'),
        { method: request.method, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.on('error', () => response.destroy());
          answer.pipe(response);
        },
      );
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      onward.end(body);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const { hostname, port } = new URL(target);
    const onward = connect(Number(port), hostname, () => {
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
      onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  const proxy: Proxy = {
    url: await listenOn(server),
    answer: () => false,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return proxy;
}
