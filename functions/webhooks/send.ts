// One POST to a webhook endpoint, whose address a caller chose: only checked addresses are connected to, no redirect is
// followed, it ends within five seconds, and at most 64 KB of the answer are read.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { before } from '../core/before.ts';
import { WEBHOOK_LIMIT } from '../core/limits.ts';
import { addressesOf, onlyTo, reasonOf, Refused, type Rules } from '../outbound/address.ts';

export interface Answer {
  status?: number;
  /** Absent exactly where it was delivered. A phrase for the endpoint's owner. */
  error?: string;
  /** The receiver wants no further tries. */
  final?: boolean;
}

/** Never rejects. */
export type Send = (url: string, headers: Record<string, string>, body: string) => Promise<Answer>;

export interface SendOptions extends Rules {
  /** For the whole request, ms. */
  limit?: number;
  /** Certificates to trust beside Node's own. */
  ca?: string;
}

const READ_AT_MOST = 64 * 1024;

/** @param limit ms. What it makes keeps no connection between requests. */
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
  if (status === 410) return { status, error: 'it answered 410: it wants no further tries', final: true };
  const redirected = status >= 300 && status < 400 ? '; redirects are not followed' : '';
  return { status, error: `it answered ${status}${redirected}` };
}

/** Resolves with the status, once the answer or its allowed part was read. */
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
    // A new connection: a pooled one may go to another address.
    agent: false,
    signal: late,
    lookup: onlyTo(addresses),
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    ...(ca !== undefined && { ca }),
  };
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    // The status decides; the rest is read so that the connection is not cut while the receiver sends.
    const done = (error?: Error) => (status === undefined ? reject(error) : resolve(status));
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.on('error', done);
    // A switch of protocols is not followed.
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
