// One HTTP exchange: reads the body and writes the answer as aiohttp does.
// Knows no routes.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { loads, wire } from './python-json.ts';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** The path without /api. */
  path: string;
  query: URLSearchParams;
  /** The last part of the path, if the route has a variable one. */
  name: string;
}
export type Handler = (exchange: Exchange) => void | Promise<void>;

const bodyLimit = 104_857_600;

export class BodyTooLarge extends Error {}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyLimit) throw new BodyTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Throws on what Python would not read: ComfyUI does not handle that error either, and answers 500. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  return loads((await readBody(request)).toString('utf8'));
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(wire(body));
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': bytes.length,
  });
  response.end(bytes);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'application/octet-stream', 'Content-Length': 0 });
  response.end();
}

export const sendServerError = (response: ServerResponse) =>
  sendText(response, 500, '500 Internal Server Error\n\nServer got itself in trouble');
