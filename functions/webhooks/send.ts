// One POST to a webhook endpoint, whose address a caller chose: only checked addresses are connected to, no redirect is
// followed, it ends within five seconds, and at most 64 KB of the answer are read.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { isIPv4, type LookupFunction } from 'node:net';
import { WEBHOOK_LIMIT } from '../core/limits.ts';
import { addressesOf, Refused, type Rules } from './address.ts';

export interface Answer {
  status?: number;
  /** Absent exactly where it was delivered. A sentence for whoever gave the address. */
  error?: string;
  /** The receiver wants no more of it, or will never be called. */
  final?: boolean;
}

export type Send = (url: string, headers: Record<string, string>, body: string) => Promise<Answer>;

export interface SendOptions extends Rules {
  /** In all, ms. */
  limit?: number;
  /** Certificates to trust beside Node's own. */
  ca?: string;
}

const READ_AT_MOST = 64 * 1024;

export function createSend({ limit = WEBHOOK_LIMIT, ca, ...rules }: SendOptions): Send {
  return async (address, headers, body) => {
    const url = new URL(address);
    const late = AbortSignal.timeout(limit);
    try {
      const addresses = await before(late, addressesOf(url, rules));
      return judge(await post(url, addresses, headers, body, late, ca));
    } catch (error) {
      if (error instanceof Refused) return { error: error.message };
      if (late.aborted) return { error: `there was no answer within ${limit / 1000} seconds` };
      return { error: `it cannot be reached: ${reasonOf(error)}` };
    }
  };
}

function judge(status: number): Answer {
  if (status >= 200 && status < 300) return { status };
  if (status === 410) return { status, error: 'it answered 410: it wants no more', final: true };
  const redirected = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return { status, error: `it answered ${status}${redirected}` };
}

/** The status, as soon as the answer was read, or as much of it as is. */
function post(
  url: URL,
  addresses: string[],
  headers: Record<string, string>,
  body: string,
  late: AbortSignal,
  ca: string | undefined,
): Promise<number> {
  const options: RequestOptions = {
    method: 'POST',
    // A connection of its own: none that was made to another address before.
    agent: false,
    signal: late,
    lookup: onlyTo(addresses),
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    ...(ca !== undefined && { ca }),
  };
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    // The status decides; the rest is read so that no receiver is cut off while it still speaks.
    const done = (error?: Error) => (status === undefined ? reject(error) : resolve(status));
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('error', done);
    // Whoever wants to talk another protocol from here on is not talked to.
    request.once('upgrade', (response, socket) => {
      status = response.statusCode;
      socket.destroy();
      done();
    });
    request.once('response', (response) => {
      status = response.statusCode;
      let read = 0;
      response.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > READ_AT_MOST) request.destroy();
      });
      response.on('error', done);
      response.once('close', () => done());
    });
    request.end(body);
  });
}

/** The name was looked up before: whatever it resolves to by now, these are connected to. */
function onlyTo(addresses: string[]): LookupFunction {
  const judged = addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
  return (_name, { all }, answer) => {
    if (all) answer(null, judged);
    else answer(null, judged[0]!.address, judged[0]!.family);
  };
}

async function before<T>(late: AbortSignal, work: Promise<T>): Promise<T> {
  let abort: () => void = () => undefined;
  const over = new Promise<never>((_, reject) => {
    abort = () => reject(late.reason as Error);
    late.addEventListener('abort', abort);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    late.removeEventListener('abort', abort);
  }
}

/** What Node calls it: never a path or an address. */
function reasonOf(error: unknown): string {
  const { code, errors } = error as { code?: string; errors?: { code?: string }[] };
  return code ?? errors?.[0]?.code ?? 'the connection failed';
}
