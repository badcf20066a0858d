// CloudFront as a small server, between a caller and a Function URL: what the template says (distribution.ts), what it keeps
// (kept-errors.ts), and what it does by itself. Without TLS and HTTP/2; it never asks twice.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { listenOn } from '../support/listen-on.ts';
import type { Distribution } from './distribution.ts';
import { keptErrors } from './kept-errors.ts';
import type { Origin } from './origin.ts';

export interface CloudFront {
  url: string;
  /** Requests that it has answered by itself, with what it had kept. */
  hits(): number;
  close(): Promise<void>;
}

export interface Behind {
  origin: Origin;
  /** Of the origin. */
  hostName: string;
  /** What the template's secret is, at this address. */
  secret: string;
  /** What every request is given besides, in small letters: for callers who cannot send it. */
  adds?: Record<string, string>;
}

/** Of one connection alone, to or from the origin. */
export const HOPS = ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'];
/** Their answers have no body. */
export const BODILESS = new Set([204, 304]);

/** @param port else any that is free */
export async function startCloudFront(
  distribution: Distribution,
  { origin, hostName, secret, adds = {} }: Behind,
  port = 0,
): Promise<CloudFront> {
  const { methods, originHeaders, tellsViewersHost, readTimeout, answerHeaders, viewerRequest, kept } =
    distribution;
  /** By address, with its query: what the policy's key has. */
  const files = new Map<string, { status: number; headers: Record<string, string>; body: Buffer }>();
  const errors = keptErrors(distribution.errorTtl);
  let hits = 0;

  function requestHeaders(req: IncomingMessage): Record<string, string> {
    const given = Object.entries(req.headers).filter(([name]) => !HOPS.includes(name));
    return {
      ...Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
      ...adds,
      ...Object.fromEntries(originHeaders.map((name) => [name, secret])),
      ...(!tellsViewersHost && { host: hostName }),
    };
  }

  function head(res: ServerResponse, status: number, headers: Record<string, string>, xCache: string): void {
    const passed = Object.entries(headers).filter(([name]) => !HOPS.includes(name));
    res.writeHead(status, {
      ...answerHeaders,
      ...Object.fromEntries(passed),
      'x-cache': `${xCache} from cloudfront`,
    });
  }

  async function pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path, query = ''] = (req.url ?? '/').split('?') as [string, string?];
    const method = req.method ?? 'GET';
    const body = await buffer(req);
    const isFile = kept.test(path);
    const allowed = isFile ? ['GET', 'HEAD'] : methods;
    const refused = !allowed.includes(method) || (method === 'GET' && body.length > 0);
    if (refused) return end(res, 403, 'Error');
    const headers = requestHeaders(req);
    const early = isFile ? undefined : viewerRequest?.({ method, path, headers });
    if (early) {
      head(res, early.status, early.headers, 'FunctionGeneratedResponse');
      return void res.end();
    }
    const found = errors.find(method, path);
    if (found) {
      hits += 1;
      head(res, found.status, { ...found.headers, age: '1' }, 'Error');
      return void res.end(method === 'HEAD' ? undefined : found.body);
    }
    const file = files.get(`${path}?${query}`);
    if (file) {
      hits += 1;
      head(res, file.status, { ...file.headers, age: '1' }, 'Hit');
      return void res.end(method === 'HEAD' ? undefined : file.body);
    }
    const answer = await origin({ method, path, query, headers, body });
    const chunks = answer.body[Symbol.asyncIterator]();
    // It says nothing before there is something to send.
    const first = await within(readTimeout, chunks.next());
    if (first === 'late') return end(res, 504, 'Error');
    const xCache = answer.status >= 400 ? 'Error' : 'Miss';
    head(res, answer.status, answer.headers, xCache);
    const parts: Buffer[] = [];
    const ttl = errors.ttlOf(method, answer);
    const isKept =
      isFile &&
      method === 'GET' &&
      answer.status === 200 &&
      /max-age=[1-9]/.test(answer.headers['cache-control'] ?? '');
    for (let next = first; !next.done; next = await chunks.next()) {
      if (ttl > 0 || isKept) parts.push(next.value);
      if (method !== 'HEAD' && !BODILESS.has(answer.status) && !res.write(next.value)) await drained(res);
    }
    res.end();
    if (isKept) files.set(`${path}?${query}`, { ...answer, body: Buffer.concat(parts) });
    if (ttl > 0) errors.keep(path, { ...answer, body: Buffer.concat(parts) }, ttl);
  }

  /** A page of its own. */
  function end(res: ServerResponse, status: number, xCache: string): void {
    head(res, status, { 'content-type': 'text/html' }, xCache);
    res.end(`<H1>${status} ERROR</H1> The request could not be satisfied. Generated by cloudfront`);
  }

  const server = createServer((req, res) => {
    pass(req, res).catch(() => {
      if (res.headersSent) res.destroy();
      else end(res, 502, 'Error');
    });
  });
  const url = await listenOn(server, port);
  return {
    url: url.replace('127.0.0.1', 'localhost'),
    hits: () => hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Next = IteratorResult<Buffer, unknown>;

async function within(ms: number, next: Promise<Next>): Promise<Next | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, ms, 'late');
    timer.unref();
  });
  try {
    return await Promise.race([next, late]);
  } finally {
    clearTimeout(timer);
  }
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    res.once('drain', resolve).once('close', resolve);
  });
}
