// What stands behind nginx where the product would be too well behaved: a server that a test drives by hand, and
// requests with exactly the path, the headers and the pace that the test wants.

import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Upstream {
  /** host:port */
  address: string;
  close(): Promise<void>;
}

export async function startUpstream(listener: RequestListener): Promise<Upstream> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Nothing listens there. */
export async function goneAddress(): Promise<string> {
  const upstream = await startUpstream(() => undefined);
  await upstream.close();
  return upstream.address;
}

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  /** Of JSON. */
  body: Record<string, unknown>;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** The path goes out to the letter; fetch would tidy it up. */
export async function ask(origin: string, path: string, asked: Asked = {}): Promise<Answer> {
  const sent = open(origin, path, asked);
  sent.end(asked.body);
  return answerTo(sent);
}

/** A request that the test writes and ends itself. */
export function open(origin: string, path: string, { method = 'GET', headers = {} }: Asked): ClientRequest {
  const { hostname, port } = new URL(origin);
  return request({ hostname, port, path, method, headers, agent: false });
}

/** Also of a request that was cut off after it had been answered. */
export async function answerTo(sent: ClientRequest): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
  });
  const { statusCode = 0, headers } = response;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const isJson = headers['content-type']?.startsWith('application/json') ?? false;
  return {
    status: statusCode,
    headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}
